//! The exporters against real peers on loopback: a gRPC server of OpenTelemetry's own stubs, a scraper, a broken pipe.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail

mod backend;
mod debug;
mod delivery;
#[path = "../../src/fixtures.rs"]
#[allow(missing_docs, dead_code)]
mod fixtures;
mod health;
mod http;
mod outages;
mod oversized;
mod prometheus;
mod raw;
mod self_telemetry;
mod tls;
mod wire;

use std::time::Duration;

use otel_tcpretrans_exporters::resource::{Instance, Resource, UserAttributes};
use otel_tcpretrans_pipeline::books::{Ledger, LedgerKey, Signal};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use tokio::time::Instant;

/// The longest time that a test waits for something: far more than a machine under load needs.
const PATIENCE: Duration = Duration::from_secs(20);

fn no_environment(_: &str) -> Option<String> {
    None
}

fn resource() -> Resource {
    let instance = Instance {
        instance_id: "the-instance".into(),
        host_name: Some("the-host".into()),
        architecture: "x86_64",
        ..Instance::default()
    };
    let user = UserAttributes::from([("deployment.environment.name".into(), Some("test".into()))]);
    Resource::new(&instance, &no_environment, &user).expect("a resource")
}

fn ledger(signal: Signal) -> Ledger {
    Ledger::detached(LedgerKey { pipeline: "p".into(), signal, exporter: Some("otlp".into()) })
}

fn logs(records: u16) -> Batch {
    Batch::Logs((0..records).map(fixtures::record).collect())
}

/// Counts a batch as accepted in `ledger`, and gives it to `exporter`.
async fn export(exporter: &dyn Exporter, batch: Batch, ledger: &Ledger) {
    ledger.accept(batch.len() as u64);
    exporter.export(batch, ledger.clone()).await;
}

/// Drains `exporter` and checks that nothing has leaked from the ledger.
async fn drain(exporter: &dyn Exporter, ledger: &Ledger) {
    exporter.shutdown(Instant::now() + PATIENCE).await;
    let counts = ledger.counts();
    assert_eq!((counts.queued, counts.in_flight()), (0, 0), "{counts:?}");
}
