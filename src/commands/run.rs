//! `run`: runs the pipelines of a configuration.

use std::sync::Arc;
use std::time::Instant;

use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::resource::{Instance, Resource};
use otel_tcpretrans_exporters::self_telemetry::{SelfTelemetry, TelemetryExtension};
use otel_tcpretrans_kubernetes::Kubernetes;
use otel_tcpretrans_pipeline::component::{Host, Starter};
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::processors::k8s_attributes::Clusters;
use tokio::runtime::Builder;
use tracing::{info, warn};

use crate::access::access;
use crate::cli::Sources;
use crate::config::{Loaded, LogFormat};
use crate::factory::Components;
use crate::plan::plan;
use crate::reload::Reloader;
use crate::sandbox::Confined;
use crate::service::{self, Service};
use crate::signals::Signals;
use crate::{balance, logs};

/// Threads of the runtime. One can take 400,000 events per second, compressed. A second one would only be woken to share a
/// load that is small: measured in a storm, that cost 10 % more. Work that blocks has threads of its own.
const WORKERS: usize = 1;
/// Prefix of the metrics that the Collector does not have.
const NAMESPACE: &str = "otelcol_tcpretrans";

pub(crate) fn run(sources: &Sources, log_format: Option<LogFormat>) -> anyhow::Result<()> {
    let started = Instant::now();
    let loaded = super::load(sources)?;
    let logs = &loaded.config.service.telemetry.logs;
    let log = logs::start(logs.level, log_format.unwrap_or(logs.format))?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let confined = Confined::prepare(loaded.config.service.sandbox, access(&sources.files, &loaded))?;
    // The first thread that is started: it keeps what the others have given up when they start.
    let starter = confined.starter()?;
    confined.enter()?;
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let result = runtime.block_on(serve(sources, &loaded, (log, log_format), (confined, starter), started));
    // A write to a pipe that nobody reads may never end. This does not wait for it, since the drain has had its time.
    runtime.shutdown_background();
    result
}

async fn serve(
    sources: &Sources,
    loaded: &Loaded,
    (log, log_format): (logs::Level, Option<LogFormat>),
    (confined, starter): (Confined, Starter),
    started: Instant,
) -> anyhow::Result<()> {
    let Loaded { config, hash, .. } = loaded;
    let signals = Signals::install()?;
    let telemetry = &config.service.telemetry;
    let resource = Resource::new(&Instance::detect(), &process_environment, &telemetry.resource)
        .map_err(|problems| anyhow::anyhow!("service.telemetry.resource: {}", Problem::join(&problems)))?;
    let own = SelfTelemetry::new(&telemetry.metrics, &process_environment, &resource)?;
    let resource = Arc::new(resource);
    let confined = Arc::new(confined);
    let reloader = Reloader::new(sources, config, log_format, Arc::clone(&resource), Arc::clone(&confined));
    let service = Service {
        factory: Components::new(confined.confinement()),
        plan: plan(config, resource),
        extensions: vec![Box::new(TelemetryExtension::new(own, NAMESPACE))],
        log: (log, telemetry.logs.level),
        shutdown_timeout: *config.service.shutdown_timeout,
        duration: None,
        read_again: Some(Box::new(move || reloader.read())),
    };
    let clusters = Clusters::watched_by(Arc::new(Kubernetes::default()));
    let host = Host { clusters, starter, ..Host::default() };
    host.reloads.in_force(hash);
    let mut is_ready = false;
    let ready = || {
        is_ready = true;
        host.starter.end();
        confined.seal()?;
        balance::log_receivers(&host.books.snapshot());
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(version = env!("CARGO_PKG_VERSION"), config = hash, elapsed_ms, "ready");
        Ok(())
    };
    let result = service::run(service, &host, signals, ready).await;
    if is_ready {
        balance::log_books(&host.books.snapshot());
    }
    result
}
