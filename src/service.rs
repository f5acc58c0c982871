//! Runs a service: starts its extensions and its graph, waits for the end, then drains and stops them. All commands
//! that run something use this one function.

use std::process;
use std::time::Duration;

use otel_tcpretrans_pipeline::component::{Extension, Host};
use otel_tcpretrans_pipeline::graph::{Factory, Failure, Graph, Plan};
use sd_notify::NotifyState;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::config::LogLevel;
use crate::logs;
use crate::signals::{Request, Signals};

/// What is to run.
pub(crate) struct Service<F: Factory> {
    pub(crate) factory: F,
    pub(crate) plan: Plan<F::Receiver, F::Exporter>,
    /// The log, and the level that it is to have.
    pub(crate) log: (logs::Level, LogLevel),
    /// They start before the graph and stop after it.
    pub(crate) extensions: Vec<Box<dyn Extension>>,
    /// How long draining may take.
    pub(crate) shutdown_timeout: Duration,
    /// How long it runs at most; `None` means no limit.
    pub(crate) duration: Option<Duration>,
}

/// How long extensions may take to stop after a start that failed.
const FAILED_START: Duration = Duration::from_secs(5);

/// Runs a service until a signal, until its time is up, until all receivers have finished, or until something ends
/// that should not. `ready` is called once everything has started.
///
/// # Errors
/// Something did not start, `ready` failed, or something ended that should not have: a [`Failure`].
pub(crate) async fn run<F: Factory>(
    service: Service<F>,
    host: &Host,
    mut signals: Signals,
    ready: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Service { factory, plan, log: (log, level), mut extensions, shutdown_timeout, duration } = service;
    let mut graph = Graph::new(factory, host.clone());
    let started = async {
        log.set(level)?;
        for extension in &mut extensions {
            extension.start(host).await.map_err(anyhow::Error::from_boxed)?;
        }
        graph.apply(plan, Instant::now() + shutdown_timeout).await?;
        ready()
    };
    if let Err(error) = started.await {
        stop(&mut graph, &mut extensions, Instant::now() + FAILED_START).await;
        return Err(error);
    }
    notify(NotifyState::Ready);

    let result = serve(&mut graph, &mut signals, duration).await;
    // A second signal means that the user does not want to wait for the drain.
    let impatience = tokio::spawn(async move {
        signals.stop().await;
        error!("a second signal: stopping at once; what is not delivered yet is lost");
        process::exit(1);
    });
    info!(timeout = ?shutdown_timeout, "draining");
    notify(NotifyState::Stopping);
    stop(&mut graph, &mut extensions, Instant::now() + shutdown_timeout).await;
    impatience.abort();
    Ok(result?)
}

async fn stop<F: Factory>(graph: &mut Graph<F>, extensions: &mut [Box<dyn Extension>], deadline: Instant) {
    graph.stop(deadline).await;
    for extension in extensions.iter_mut().rev() {
        extension.stop(deadline).await;
    }
}

/// Waits until something ends the run. Returns what failed, if that is the reason.
async fn serve<F: Factory>(
    graph: &mut Graph<F>,
    signals: &mut Signals,
    duration: Option<Duration>,
) -> Result<(), Failure> {
    let time_is_up = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(time_is_up);
    loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Stop(signal) => {
                    info!(signal, "stopping");
                    return Ok(());
                }
                Request::Reload => {
                    warn!("SIGHUP: reloading the configuration is not built yet; restart to apply changes");
                }
            },
            () = &mut time_is_up => {
                info!("stopping: the time is up");
                return Ok(());
            }
            result = graph.finished() => {
                match &result {
                    Ok(()) => info!("all receivers have finished: stopping"),
                    Err(failure) => warn!("{failure}: stopping"),
                }
                return result;
            }
        }
    }
}

/// Tells systemd about a state, if systemd has started this process and asked for it.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "can't notify the service manager");
    }
}
