//! `run`: parse, build, start, wait, drain.

use std::process;
use std::time::Instant as Clock;

use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::resource::{Facts, Resource};
use otel_tcpretrans_exporters::self_telemetry::SelfTelemetry;
use otel_tcpretrans_pipeline::books::Books;
use otel_tcpretrans_pipeline::graph::{Failure, Graph};
use otel_tcpretrans_pipeline::telemetry::Observed;
use sd_notify::NotifyState;
use tokio::runtime::Builder;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::cli::Sources;
use crate::config::{Config, LogFormat};
use crate::signals::Signals;
use crate::{balance, logs, wire};

/// Two threads carry what one receiver sees; what blocks has threads of its own.
const WORKERS: usize = 2;
/// Prefix of this project's own metrics, beside those that bear the Collector's names.
const NAMESPACE: &str = "otelcol_tcpretrans";

pub(crate) fn run(sources: &Sources, log_format: Option<LogFormat>) -> anyhow::Result<()> {
    let started = Clock::now();
    let loaded = super::load(sources)?;
    let logs = &loaded.config.service.telemetry.logs;
    logs::start(logs.level, log_format.unwrap_or(logs.format))?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let result = runtime.block_on(serve(&loaded.config, started));
    // A write to a pipe that nobody reads may never end; the deadline has passed, so nobody waits for it.
    runtime.shutdown_background();
    result
}

async fn serve(config: &Config, started: Clock) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let books = Books::default();
    let telemetry = &config.service.telemetry;
    let resource = Resource::new(&Facts::gather(), &process_environment, &telemetry.resource)
        .map_err(|problems| anyhow::anyhow!("service.telemetry.resource: {problems:?}"))?;

    let own = SelfTelemetry::new(&telemetry.metrics, &process_environment, &resource)?;
    let observed = Observed::register(own.meter(), NAMESPACE, &books);
    let own = own.start(move || observed.refresh()).await?;
    let parts = wire::build(config, &resource, &books)?;
    let mut graph = Graph::start(parts.receivers, parts.pipelines, &books).await?;
    balance::log_receivers(&books.snapshot());
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    info!(version = env!("CARGO_PKG_VERSION"), elapsed_ms, "ready");
    notify(NotifyState::Ready);

    let result = wait(&mut graph, &mut signals).await;
    // Whoever asks twice does not want to wait for the drain.
    tokio::spawn(async move {
        signals.stop().await;
        error!("a second signal: stopping at once, what is on its way is lost");
        process::exit(1);
    });
    let timeout = *config.service.shutdown_timeout;
    info!(timeout = ?timeout, "draining");
    notify(NotifyState::Stopping);
    let deadline = Instant::now() + timeout;
    graph.shutdown(deadline).await;
    own.shutdown(deadline).await;
    balance::log_books(&books.snapshot());
    Ok(result?)
}

/// Until a signal, until all receivers have finished, or until something ends that should not.
async fn wait(graph: &mut Graph, signals: &mut Signals) -> Result<(), Failure> {
    tokio::select! {
        signal = signals.stop() => {
            info!(signal, "stopping");
            Ok(())
        }
        result = graph.finished() => {
            match &result {
                Ok(()) => info!("all receivers have finished: stopping"),
                Err(failure) => warn!("{failure}: stopping"),
            }
            result
        }
    }
}

/// Tells systemd, where it started us and wants to know.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "can't notify the service manager");
    }
}
