//! `run`: runs the pipelines of a configuration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::resource::{Instance, Resource};
use otel_tcpretrans_exporters::self_telemetry::{OwnLogs, SelfTelemetry, TelemetryExtension};
use otel_tcpretrans_kubernetes::Kubernetes;
use otel_tcpretrans_pipeline::component::{Extension, Host, Starter};
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::processors::k8s_attributes::Clusters;
use tokio::runtime::Builder;
use tracing::{debug, info, warn};

use crate::access::access;
use crate::cli::Sources;
use crate::config::{Config, Loaded, LogFormat};
use crate::extensions::extensions;
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
/// How long the end of the log may take to be sent.
const LAST_LOGS: Duration = Duration::from_secs(2);
/// How often memory is given back that is not in use. The first time is when everything has started.
const GIVE_BACK: Duration = Duration::from_secs(60);
/// Prefix of the metrics that the Collector does not have.
const NAMESPACE: &str = "otelcol_tcpretrans";

pub(crate) fn run(sources: &Sources, log_format: Option<LogFormat>) -> anyhow::Result<()> {
    let started = Instant::now();
    let loaded = super::load(sources)?;
    let confined = Confined::prepare(loaded.config.service.sandbox, access(&sources.files, &loaded))?;
    // The first thread that is started: it keeps what the others have given up when they start.
    let starter = confined.starter()?;
    confined.enter()?;
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let resource = resource(&loaded)?;
    let logs = &loaded.config.service.telemetry.logs;
    let sent = {
        let _context = runtime.enter();
        let start = |otlp| OwnLogs::start(otlp, &process_environment, &resource);
        logs.otlp.as_ref().map(start).transpose()?
    };
    let log = logs::start(logs.level, log_format.unwrap_or(logs.format), sent.as_ref().map(OwnLogs::bridge))?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let parts = (confined, starter);
    let result = runtime.block_on(serve(sources, &loaded, resource, (log, log_format), parts, started));
    if let Some(sent) = sent {
        sent.shutdown(LAST_LOGS);
    }
    // A write to a pipe that nobody reads may never end. This does not wait for it, since the drain has had its time.
    runtime.shutdown_background();
    result
}

/// The own telemetry, and what the configuration starts.
fn all_extensions(own: SelfTelemetry, config: &Config) -> Vec<Box<dyn Extension>> {
    let telemetry: Box<dyn Extension> = Box::new(TelemetryExtension::new(own, NAMESPACE));
    [telemetry].into_iter().chain(extensions(config, NAMESPACE)).collect()
}

fn resource(loaded: &Loaded) -> anyhow::Result<Resource> {
    let attributes = &loaded.config.service.telemetry.resource;
    Resource::new(&Instance::detect(), &process_environment, attributes)
        .map_err(|problems| anyhow::anyhow!("service.telemetry.resource: {}", Problem::join(&problems)))
}

/// Gives back the memory of the start, and later what a burst has left.
async fn give_memory_back() {
    let mut looks = tokio::time::interval(GIVE_BACK);
    loop {
        looks.tick().await;
        if let Err(error) = otel_tcpretrans_source::give_back() {
            return debug!(error = %error, "can't give memory back");
        }
    }
}

async fn serve(
    sources: &Sources,
    loaded: &Loaded,
    resource: Resource,
    (log, log_format): (logs::Level, Option<LogFormat>),
    (confined, starter): (Confined, Starter),
    started: Instant,
) -> anyhow::Result<()> {
    let Loaded { config, hash, .. } = loaded;
    let signals = Signals::install()?;
    let log_kept = log.recent();
    let telemetry = &config.service.telemetry;
    let own = SelfTelemetry::new(&telemetry.metrics, &process_environment, &resource)?;
    let resource = Arc::new(resource);
    let confined = Arc::new(confined);
    let reloader = Reloader::new(sources, config, log_format, Arc::clone(&resource), Arc::clone(&confined));
    let service = Service {
        factory: Components::new(confined.confinement()),
        plan: plan(config, resource),
        extensions: all_extensions(own, config),
        log: (log, telemetry.logs.level),
        shutdown_timeout: *config.service.shutdown_timeout,
        until: service::after(None),
        read_again: Some(Box::new(move || reloader.read())),
    };
    let clusters = Clusters::watched_by(Arc::new(Kubernetes::default()));
    let host = Host { clusters, starter, recent: log_kept, ..Host::default() };
    host.reloads.in_force(hash);
    let mut is_ready = false;
    let ready = || {
        is_ready = true;
        host.starter.end();
        confined.seal()?;
        tokio::spawn(give_memory_back());
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
