//! Runs a service: starts its extensions and its graph, waits for the end, then drains and stops them. All commands
//! that run something use this one function.

use std::pin::Pin;
use std::process;
use std::time::Duration;

use otel_tcpretrans_pipeline::component::{Extension, Host};
use otel_tcpretrans_pipeline::graph::{Event, Factory, Failure, Graph, Plan};
use otel_tcpretrans_pipeline::reloads::Outcome;
use otel_tcpretrans_pipeline::running::Phase;
use sd_notify::NotifyState;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::config::LogLevel;
use crate::exit::Refused;
use crate::logs;
use crate::manager::{Reports, notify};
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
    /// What ends the run beside signals. Its output is the reason, for the log.
    pub(crate) until: Until,
    /// Reads the configuration again, for a reload. `None` if there is nothing to read.
    pub(crate) read_again: Option<ReadAgain<F>>,
}

/// Ends a run when it is ready.
pub(crate) type Until = Pin<Box<dyn Future<Output = &'static str>>>;

/// Ends a run after this time. `None` means no limit.
pub(crate) fn after(duration: Option<Duration>) -> Until {
    Box::pin(async move {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
        "the time is up"
    })
}

/// Reads a configuration, and checks that a running process can take it over. Changes nothing.
pub(crate) type ReadAgain<F> = Box<dyn Fn() -> anyhow::Result<Next<F>>>;

/// What a configuration changes in a running process.
pub(crate) struct Next<F: Factory> {
    pub(crate) plan: Plan<F::Receiver, F::Exporter>,
    pub(crate) level: LogLevel,
    pub(crate) shutdown_timeout: Duration,
    /// The configuration's hash.
    pub(crate) hash: String,
}

/// What runs, and how it is changed.
struct Running<'s, F: Factory> {
    graph: Graph<F>,
    host: &'s Host,
    log: logs::Level,
    shutdown_timeout: Duration,
    read_again: Option<ReadAgain<F>>,
}

/// How long extensions may take to stop after a start that failed.
const FAILED_START: Duration = Duration::from_secs(5);

/// Runs a service until a signal, until its `until` is ready, until all receivers have finished, or until something ends
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
    let Service { factory, plan, log: (log, level), mut extensions, shutdown_timeout, .. } = service;
    let graph = Graph::new(factory, host.clone());
    let mut running = Running { graph, host, log, shutdown_timeout, read_again: service.read_again };
    let started = async {
        running.log.set(level)?;
        for extension in &mut extensions {
            extension.start(host).await.map_err(anyhow::Error::from_boxed)?;
        }
        running.graph.apply(plan, Instant::now() + shutdown_timeout).await?;
        ready()
    };
    if let Err(error) = started.await {
        stop(&mut running.graph, &mut extensions, Instant::now() + FAILED_START).await;
        return Err(error);
    }
    host.running.enter(Phase::Running);
    notify(&[NotifyState::Ready]);
    let _reports = Reports::begin(host);

    let result = serve(&mut running, &mut signals, service.until).await;
    let Running { mut graph, shutdown_timeout, .. } = running;
    // A second signal means that the user does not want to wait for the drain.
    let impatience = tokio::spawn(async move {
        signals.stop().await;
        error!("a second signal: stopping at once; what is not delivered yet is lost");
        process::exit(1);
    });
    host.running.enter(Phase::Stopping);
    info!(timeout = ?shutdown_timeout, "draining");
    notify(&[NotifyState::Stopping]);
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
    running: &mut Running<'_, F>,
    signals: &mut Signals,
    mut until: Until,
) -> Result<(), Failure> {
    // A signal that came while the parts of before were still being drained.
    let mut reload_later = false;
    loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Stop(signal) => {
                    info!(signal, "stopping");
                    return Ok(());
                }
                Request::Reload if running.read_again.is_none() && signals.hangup_stops() => {
                    info!(signal = "SIGHUP", "stopping: the terminal is gone");
                    return Ok(());
                }
                Request::Reload if running.graph.is_draining() => reload_later = true,
                Request::Reload => running.reload().await,
            },
            reason = &mut until => {
                info!("stopping: {reason}");
                return Ok(());
            }
            event = running.graph.event() => match event {
                Event::Drained if std::mem::take(&mut reload_later) => running.reload().await,
                Event::Drained => {}
                Event::Finished(result) => {
                    match &result {
                        Ok(()) => info!("all receivers have finished: stopping"),
                        Err(failure) => warn!("{failure}: stopping"),
                    }
                    return result;
                }
            }
        }
    }
}

impl<F: Factory> Running<'_, F> {
    /// Takes over what the configuration says now. If that can't be, what runs goes on as it was. Afterwards the parts of
    /// before are drained, while signals are served.
    async fn reload(&mut self) {
        let Some(read_again) = &self.read_again else {
            return warn!("SIGHUP: this command has nothing to reload");
        };
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            notify(&[NotifyState::Reloading, now]);
        }
        let outcome = match read_again() {
            Ok(next) => self.take_over(next).await,
            Err(error) => {
                refused(&error);
                Outcome::Refused
            }
        };
        self.host.reloads.count(outcome);
        notify(&[NotifyState::Ready]);
    }

    async fn take_over(&mut self, Next { plan, level, shutdown_timeout, hash }: Next<F>) -> Outcome {
        if let Err(error) = self.graph.change(plan, Instant::now() + shutdown_timeout).await {
            // For example, a receiver that has changed needs a capability that the process has dropped.
            error!("reload failed, restart needed: {error}; the configuration of before stays in force");
            return Outcome::Failed;
        }
        if let Err(error) = self.log.set(level) {
            warn!("the level of the log stays as it was: {error:#}");
        }
        self.shutdown_timeout = shutdown_timeout;
        self.host.reloads.in_force(&hash);
        info!(config = hash, "reloaded");
        Outcome::Success
    }
}

/// Logs why a configuration was refused, a line per problem as `validate` prints them.
fn refused(error: &anyhow::Error) {
    match error.downcast_ref::<Refused>() {
        Some(Refused(problems)) => problems.iter().for_each(|problem| error!("{problem}")),
        None => error!("{error:#}"),
    }
    error!("reload refused: nothing has changed");
}
