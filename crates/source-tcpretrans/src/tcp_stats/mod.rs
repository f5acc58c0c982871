//! The `tcp_stats` receiver: the kernel's own counters of TCP, of every network namespace in sight, as metric points.
//!
//! With these a dashboard divides: how much of what was sent had to be sent again. None of its metrics has the name of one
//! that the `tcpretrans` receiver makes, so that no sum is doubled if a pipeline has both.

mod auditor;
mod config;
mod mib;
mod namespaces;
mod own;
mod series;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use otel_tcpretrans_pipeline::books::{ReceiverCounts, Unobserved};
use otel_tcpretrans_pipeline::chunk::{CHUNK, Sender};
use otel_tcpretrans_pipeline::clock::{boot_time, unix_nano};
use otel_tcpretrans_pipeline::component::{Confinement, Receiver, ReceiverError};
use otel_tcpretrans_pipeline::metric::MetricPoint;

use crate::audit::Audit;
use crate::gauges::{AUDIT_DIFFERENCE, AUDITED_NAMESPACES, HIDDEN_PROCESSES, NETWORK_NAMESPACES};
use crate::privileges::give_up;

use auditor::{Audited, Auditor};
pub use config::{Config, Scope};
pub use mib::METRICS;
use namespaces::in_sight;
pub use own::OwnNamespace;
pub use series::ATTRIBUTES;
use series::Series;

/// Points that may wait between the receiver and the pipelines: a report of some thousand namespaces.
const CAPACITY: usize = 65_536;

/// The `tcp_stats` receiver.
#[derive(Debug)]
pub struct TcpStats {
    config: Config,
    audit: Audit,
    confinement: Confinement,
    counts: Arc<Counts>,
    running: Option<Reading>,
}

#[derive(Debug)]
struct Reading {
    thread: JoinHandle<()>,
    /// Dropped to stop it.
    stop: mpsc::Sender<()>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Points made.
    made: AtomicU64,
    /// Points for which the channel had no room.
    dropped: AtomicU64,
    /// Namespaces in the last report.
    namespaces: AtomicU64,
    /// Processes whose namespace this process may not see.
    hidden: AtomicU64,
    /// What the last audit found.
    audited: Mutex<Audited>,
}

impl TcpStats {
    /// A receiver that is not started. Touches nothing.
    pub fn new(config: Config) -> TcpStats {
        TcpStats {
            config,
            audit: Audit::default(),
            confinement: Confinement::default(),
            counts: Arc::default(),
            running: None,
        }
    }

    /// Lets `confinement` take its privileges, but those that it needs to look into other processes.
    pub fn confined_by(mut self, confinement: &Confinement) -> TcpStats {
        self.confinement = confinement.clone();
        self
    }

    /// Lets it compare the receivers that share `audit` with the kernel's counts.
    pub fn auditing(mut self, audit: &Audit) -> TcpStats {
        self.audit = audit.clone();
        self
    }
}

impl Receiver<MetricPoint> for TcpStats {
    fn start(&mut self, out: Sender<MetricPoint>) -> Result<(), ReceiverError> {
        if self.running.is_some() {
            return Err(ReceiverError::Failed("it is running already".to_owned()));
        }
        // Its own namespace can always be read.
        let found = in_sight(Scope::Netns);
        if found.readings.is_empty() {
            return Err(ReceiverError::Failed("can't read /proc/self/net/snmp and netstat".to_owned()));
        }
        let (stop, stopped) = mpsc::channel();
        let (config, counts) = (self.config.clone(), Arc::clone(&self.counts));
        let (auditor, confinement) = (Auditor::new(self.audit.clone()), self.confinement.clone());
        let thread = thread::Builder::new()
            .name("tcp_stats".to_owned())
            .spawn(move || match give_up(&confinement, config.scope == Scope::Host) {
                Ok(()) => read(&config, &counts, auditor, &out, &stopped),
                Err(error) => tracing::error!("tcp_stats: {error}"), // it ends, and with it the run
            })
            .map_err(|error| ReceiverError::Failed(format!("starting the thread: {error}")))?;
        self.running = Some(Reading { thread, stop });
        Ok(())
    }

    /// Makes a last report.
    fn stop(&mut self) {
        let Some(Reading { thread, stop }) = self.running.take() else { return };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the thread of tcp_stats panicked");
        }
    }

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        let counts = Arc::clone(&self.counts);
        Box::new(move || counts.counts())
    }

    fn channel_capacity(&self) -> usize {
        CAPACITY
    }

    fn needs_privileges(&self) -> bool {
        self.config.scope == Scope::Host
    }
}

impl Drop for TcpStats {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Counts {
    fn counts(&self) -> ReceiverCounts {
        let value = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let dropped = Unobserved {
            place: "channel",
            reason: "channel_full",
            cpu: None,
            events: value(&self.dropped),
            segments: None,
        };
        let mut gauges =
            vec![(&NETWORK_NAMESPACES, value(&self.namespaces)), (&HIDDEN_PROCESSES, value(&self.hidden))];
        let audited = *self.audited.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.push((&AUDITED_NAMESPACES, audited.namespaces));
        // Without a namespace that is audited, 0 would say what nobody knows.
        gauges.extend((audited.namespaces > 0).then_some((&AUDIT_DIFFERENCE, audited.difference)));
        ReceiverCounts {
            makes_points: true,
            seen: value(&self.made),
            unobserved: vec![dropped],
            gauges,
            ..ReceiverCounts::default()
        }
    }
}

/// Reports at once, then after each interval, and a last time at the end.
fn read(
    config: &Config,
    counts: &Counts,
    mut auditor: Auditor,
    out: &Sender<MetricPoint>,
    stop: &mpsc::Receiver<()>,
) {
    let mut series = Series::new(boot_time());
    loop {
        let found = in_sight(config.scope);
        counts.namespaces.store(found.readings.len() as u64, Ordering::Relaxed);
        counts.hidden.store(found.hidden, Ordering::Relaxed);
        let owners: Vec<_> =
            found.readings.iter().map(|(inode, (owner, _))| (*inode, owner.clone())).collect();
        send(&series.update(unix_nano(), found.readings), counts, out);
        let audited = auditor.audit(&owners);
        *counts.audited.lock().unwrap_or_else(PoisonError::into_inner) = audited;
        match stop.recv_timeout(*config.interval) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    send(&series.update(unix_nano(), in_sight(config.scope).readings), counts, out);
}

fn send(points: &[MetricPoint], counts: &Counts, out: &Sender<MetricPoint>) {
    counts.made.fetch_add(points.len() as u64, Ordering::Relaxed);
    for points in points.chunks(CHUNK) {
        let mut sent = 0;
        if let Ok(room) = out.try_reserve(points.len()) {
            sent = room.len();
            if out.send(room, points[..sent].iter().cloned().collect()).is_err() {
                return; // the graph is gone
            }
        }
        counts.dropped.fetch_add((points.len() - sent) as u64, Ordering::Relaxed);
    }
}
