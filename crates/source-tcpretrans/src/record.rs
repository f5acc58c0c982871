//! Recording: a `tcpretrans` receiver whose events go to a file as they come, instead of into a pipeline.

use std::io::{self, Write};
use std::sync::Arc;

use otel_tcpretrans_pipeline::books::{ReceiverCounts, Unobserved};
use otel_tcpretrans_pipeline::chunk::Sender;
use otel_tcpretrans_pipeline::component::{Confinement, Receiver, ReceiverError};
use otel_tcpretrans_pipeline::record::Record;

use crate::config::Config;
use crate::receiver::Tcpretrans;
use crate::recording::Header;
use crate::tap::Tap;

/// A receiver that records. It sends nothing into its channel, and closes it when it ends: when it is stopped, or by
/// itself where it can't read or write any more.
#[derive(Debug)]
pub struct Recorder {
    receiver: Tcpretrans,
    tap: Arc<Tap>,
    is_started: bool,
}

/// Tells what became of a recording, after the [`Recorder`] was stopped.
pub struct Recording {
    tap: Arc<Tap>,
    probe: Box<dyn Fn() -> ReceiverCounts + Send + Sync>,
}

/// What a recorder leaves behind.
#[derive(Debug)]
pub struct Recorded {
    /// Its books: `received` is what was written, and can be read.
    pub counts: ReceiverCounts,
    /// Why it could not write everything.
    pub failed: Option<io::Error>,
}

impl Recorder {
    /// A recorder that is not started, and the handle to its result. Nothing is written to `out` before the start.
    pub fn new(config: Config, out: impl Write + Send + 'static) -> (Recorder, Recording) {
        let tap = Arc::new(Tap::new(out, &Header::here()));
        let receiver = Tcpretrans::tapped(config, Arc::clone(&tap));
        let recorder = Recorder { receiver, tap: Arc::clone(&tap), is_started: false };
        let probe = recorder.probe();
        (recorder, Recording { tap, probe })
    }

    /// As [`Tcpretrans::confined_by`].
    pub fn confined_by(mut self, confinement: &Confinement) -> Recorder {
        self.receiver.confinement = confinement.clone();
        self
    }
}

impl Receiver for Recorder {
    /// As [`Receiver::start`]. Once: a file that was ended takes no more events.
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        if self.tap.has_ended() {
            return Err(ReceiverError::Failed("the recording has ended".to_owned()));
        }
        self.receiver.start(out)?;
        self.is_started = true;
        Ok(())
    }

    fn needs_privileges(&self) -> bool {
        true
    }

    /// As [`Receiver::stop`]: writes what is left in the kernel's buffer, and the end of the file.
    fn stop(&mut self) {
        self.receiver.stop();
        if self.is_started {
            self.tap.end(self.receiver.probe()().seen);
        }
    }

    /// As [`Receiver::probe`], but `received` is what was written.
    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        let (tap, probe) = (Arc::clone(&self.tap), self.receiver.probe());
        Box::new(move || {
            let mut counts = probe();
            let (written, not_written) = tap.written_and_not();
            counts.received = written;
            counts.unobserved.push(Unobserved {
                place: "file",
                reason: "not_written",
                cpu: None,
                events: not_written,
                segments: None,
            });
            counts
        })
    }

    fn channel_capacity(&self) -> usize {
        1
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Recording {
    /// The result. Before the recorder was stopped, events that wait to be written count as not written.
    pub fn recorded(self) -> Recorded {
        Recorded { counts: (self.probe)(), failed: self.tap.take_failure() }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("tap", &self.tap).finish_non_exhaustive()
    }
}
