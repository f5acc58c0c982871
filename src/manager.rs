//! The service manager: what it is told (sd_notify(3)). Does nothing if none has asked for it.

use std::time::Duration;

use otel_tcpretrans_pipeline::component::Host;
use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{error, warn};

use crate::balance::summary;

/// Time between two states as text, if it has changed.
const STATUS: Duration = Duration::from_secs(10);
/// So often the watchdog is fed in its time. If a part hangs at one look and not at the next, there is still one to come.
const FEEDS: u32 = 3;

/// Tells the service manager about states.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "can't notify the service manager");
    }
}

/// Reports to the service manager until it is dropped.
pub(crate) struct Reports(Option<JoinHandle<()>>);

impl Reports {
    /// Begins: the numbers that matter as the status, and that nothing hangs as food for the watchdog.
    ///
    /// The task runs on the threads of the pipelines. So if one of these hangs, it says nothing more.
    pub(crate) fn begin(host: &Host) -> Reports {
        let is_asked = std::env::var_os("NOTIFY_SOCKET").is_some();
        Reports(is_asked.then(|| tokio::spawn(report(host.clone(), sd_notify::watchdog_enabled()))))
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

async fn report(host: Host, watchdog: Option<Duration>) {
    let every = |time| {
        let mut ticks = interval(time);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let mut feeding = watchdog.map(|time| every((time / FEEDS).max(Duration::from_millis(1))));
    let mut status = every(STATUS);
    let mut said = String::new();
    loop {
        tokio::select! {
            period = tick(&mut feeding) => feed(&host, period),
            _ = status.tick() => {
                let now = summary(&host.books.snapshot());
                if now != said {
                    notify(&[NotifyState::Status(&now)]);
                    said = now;
                }
            }
        }
    }
}

/// Feeds the watchdog, unless something hangs since the last time. Half of the period is enough, since a tick may be late.
fn feed(host: &Host, period: Duration) {
    let hanging = host.pulses.hanging(period / 2);
    if hanging.is_empty() {
        notify(&[NotifyState::Watchdog]);
    } else {
        let parts = hanging.join(", ");
        error!(parts, "hangs; if it goes on, the service manager ends the process");
    }
}

/// Waits for the next tick, and returns the time between two.
async fn tick(ticks: &mut Option<Interval>) -> Duration {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
            ticks.period()
        }
        None => std::future::pending().await,
    }
}
