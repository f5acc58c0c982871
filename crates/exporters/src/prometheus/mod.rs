//! The `prometheus` exporter: the sums of a metrics pipeline, to be scraped.

mod accept;
mod config;
mod names;
mod page;
mod profile;
mod servers;
mod table;
mod view;

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::books::Ledger;
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use otel_tcpretrans_pipeline::metric::Temporality;
use tokio::time::Instant;

pub use config::{Config, ResourceToTelemetry};
pub use profile::Profile;
use servers::Served;
pub use servers::Servers;
use table::Table;
pub use view::{Attributes, View, ViewType};

use crate::resource::Resource;

/// The name under which a page shows a monotonic sum of this name and unit.
pub fn counter_name(name: &str, unit: &str) -> String {
    let unit = names::unit(unit);
    let suffix = unit.as_ref().map(|unit| format!("_{}", unit.as_str())).unwrap_or_default();
    format!("{}{suffix}_total", names::metric(None, name, unit.as_ref()))
}

/// A `prometheus` exporter. A point is delivered when it can be scraped.
pub struct PrometheusExporter {
    table: Arc<Table>,
    /// The server ends with its last exporter.
    _server: Arc<Served>,
}

impl PrometheusExporter {
    /// Serves the points of an exporter at its endpoint. An earlier exporter of this process may still do that; it is
    /// replaced. Call it within a tokio runtime.
    ///
    /// # Errors
    /// The endpoint can't be listened on.
    pub fn start(
        id: &str,
        config: &Config,
        resource: &Resource,
        servers: &Servers,
    ) -> Result<Self, ListenError> {
        let table = Arc::new(Table::new(config, resource));
        let server = servers.serve(&config.endpoint, Arc::clone(&table)).map_err(|source| ListenError {
            id: id.to_owned(),
            endpoint: config.endpoint.clone(),
            source,
        })?;
        Ok(PrometheusExporter { table, _server: server })
    }
}

impl Exporter for PrometheusExporter {
    /// Prometheus knows no other.
    fn temporality(&self) -> Option<Temporality> {
        Some(Temporality::Cumulative)
    }

    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        let items = batch.len() as u64;
        if let Batch::Metrics(points) = batch {
            self.table.update(points.iter(), Instant::now());
        }
        ledger.deliver(items, 0);
        Box::pin(async {})
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// The endpoint can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("exporters.{id}: can't listen on {endpoint}: {source}")]
pub struct ListenError {
    id: String,
    endpoint: String,
    source: io::Error,
}
