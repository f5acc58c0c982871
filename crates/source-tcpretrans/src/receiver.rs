//! The receiver: starts and stops the thread that owns a session.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::chunk::Sender;
use otel_tcpretrans_pipeline::component::{Confinement, Receiver, ReceiverError};
use otel_tcpretrans_pipeline::pulses;
use otel_tcpretrans_pipeline::record::Record;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;

use crate::audit::Audit;
use crate::config::Config;
use crate::counts::LiveCounts;
use crate::facts::Facts;
use crate::pulse;
use crate::session::{self, Inputs};
use crate::setup::decide;
use crate::tap::Tap;

/// The `tcpretrans` receiver.
#[derive(Debug)]
pub struct Tcpretrans {
    config: Config,
    counts: Arc<LiveCounts>,
    audit: Audit,
    pub(crate) confinement: Confinement,
    tap: Option<Arc<Tap>>,
    running: Option<ReaderThread>,
}

#[derive(Debug)]
struct ReaderThread {
    thread: JoinHandle<()>,
    stop: OwnedFd,
}

impl Tcpretrans {
    /// A receiver that is not started. Touches nothing.
    pub fn new(config: Config) -> Tcpretrans {
        Tcpretrans {
            config,
            counts: Arc::default(),
            audit: Audit::default(),
            confinement: Confinement::default(),
            tap: None,
            running: None,
        }
    }

    /// Lets those that share `audit` compare it with the kernel's counts while it runs.
    pub fn audited(mut self, audit: &Audit) -> Tcpretrans {
        self.audit = audit.clone();
        self
    }

    /// Lets `confinement` take the reader's privileges once the programs are attached. It can't start again after that.
    pub fn confined_by(mut self, confinement: &Confinement) -> Tcpretrans {
        self.confinement = confinement.clone();
        self
    }

    /// A receiver whose events go to `tap`, as the kernel sent them. Its channel stays empty, and closes when it ends.
    pub(crate) fn tapped(config: Config, tap: Arc<Tap>) -> Tcpretrans {
        let mut tapped = Tcpretrans::new(config);
        tapped.tap = Some(tap);
        tapped
    }
}

impl Receiver for Tcpretrans {
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        if self.running.is_some() {
            return Err(ReceiverError::Failed("it is running already".to_owned()));
        }
        let failed =
            |what: &str, error: &dyn std::fmt::Display| ReceiverError::Failed(format!("{what}: {error}"));
        let facts = Facts::probe().map_err(|error| failed("probing the kernel", &error))?;
        let setup = decide(&facts, &self.config).map_err(|refusal| ReceiverError::Unsupported(refusal.0))?;
        for warning in &setup.warnings {
            tracing::warn!("{warning}");
        }
        let stop = eventfd(0, EventfdFlags::CLOEXEC).map_err(|error| failed("eventfd", &error))?;
        let inputs = Inputs {
            facts,
            setup,
            wakeup: self.config.wakeup.clone(),
            out,
            counts: Arc::clone(&self.counts),
            audit: self.audit.clone(),
            tap: self.tap.clone(),
            confinement: self.confinement.clone(),
            stop: stop.try_clone().map_err(|error| failed("eventfd", &error))?,
        };
        let (ready, started) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("tcpretrans".to_owned())
            .spawn(move || session::run(inputs, |result| drop(ready.send(result))))
            .map_err(|error| failed("starting the reader's thread", &error))?;
        // The thread answers, or ends and closes the channel.
        let result = started
            .recv()
            .unwrap_or_else(|_| Err(ReceiverError::Failed("the reader's thread panicked".to_owned())));
        match result {
            Ok(()) => self.running = Some(ReaderThread { thread, stop }),
            Err(_) => drop(thread.join()),
        }
        result
    }

    fn stop(&mut self) {
        let Some(ReaderThread { thread, stop }) = self.running.take() else { return };
        if let Err(error) = rustix::io::write(&stop, &1u64.to_ne_bytes()) {
            tracing::error!(%error, "telling the reader's thread to stop");
        }
        if thread.join().is_err() {
            tracing::error!("the reader's thread panicked");
            self.counts.settle(); // what it had not taken went with its buffer
            self.counts.end();
        }
    }

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        let counts = Arc::clone(&self.counts);
        Box::new(move || counts.counts())
    }

    fn channel_capacity(&self) -> usize {
        self.config.channel_capacity
    }

    fn needs_privileges(&self) -> bool {
        true
    }

    fn pulse(&self) -> Option<pulses::Probe> {
        Some(pulse::probe(Arc::clone(&self.counts)))
    }
}

impl Drop for Tcpretrans {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::atomic::Ordering;

    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

    use super::*;
    use crate::counters::Counters;

    #[test]
    fn what_a_reader_that_panicked_had_not_taken_is_in_the_books() {
        let memory = memfd_create("counters", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&memory, rustix::param::page_size() as u64).unwrap();
        rustix::io::pwrite(&memory, &5_u64.to_ne_bytes(), 0).unwrap(); // wire_counters.events
        let mut receiver = Tcpretrans::new(Config::default());
        receiver.counts.begin(Arc::new(Counters::map(&memory, 1).unwrap()), Vec::new(), Vec::new());
        receiver.counts.taken.fetch_add(2, Ordering::Relaxed);
        let stop = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        receiver.running = Some(ReaderThread { thread: thread::spawn(|| panic!("as a bug would")), stop });
        receiver.stop();

        let counts = receiver.probe()();
        let unobserved: u64 = counts.unobserved.iter().map(|lost| lost.events).sum();
        assert_eq!((counts.seen, unobserved), (5, 3));
    }
}
