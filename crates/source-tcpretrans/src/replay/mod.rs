//! The `replay` receiver: a recording in place of the kernel. Needs no privilege.
//!
//! Unlike a live receiver it waits where the pipelines have no room, so that nothing of a recording is lost, and it
//! finishes. Its books are those of the recording: what the recorder lost is unobserved here too.

mod config;
mod counts;
mod player;

use std::sync::Arc;

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::chunk::Sender;
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError, Worker};
use otel_tcpretrans_pipeline::record::Record;
use tokio::runtime::Builder;

pub use config::{Config, Speed};

use crate::recording::Reader;
pub use counts::FACTS;
use counts::ReplayCounts;
use player::Player;

/// Events that may wait between the player and the pipelines.
const CAPACITY: usize = 8192;

/// The `replay` receiver.
#[derive(Debug)]
pub struct Replay {
    config: Config,
    counts: Arc<ReplayCounts>,
    running: Option<Worker>,
}

impl Replay {
    /// A receiver that is not started. Touches nothing.
    pub fn new(config: Config) -> Replay {
        Replay { config, counts: Arc::default(), running: None }
    }
}

impl Receiver for Replay {
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        if self.running.is_some() {
            return Err(ReceiverError::Failed("it is running already".to_owned()));
        }
        let reader = Reader::open(&self.config.file)
            .map_err(|error| ReceiverError::Configuration(format!("file: {error}")))?;
        self.counts.begin(&self.config, reader.header());
        let failed = |error| ReceiverError::Failed(format!("starting the replay's thread: {error}"));
        let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let (config, counts) = (self.config.clone(), Arc::clone(&self.counts));
        let play = move |stop| {
            let Config { file, speed, repeat } = config;
            Player { file, speed, repeat, counts, stop, out, chunk: Vec::new() }.play(reader)
        };
        self.running = Some(Worker::start("replay", runtime, play).map_err(failed)?);
        Ok(())
    }

    fn stop(&mut self) {
        self.running = None;
    }

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        let counts = Arc::clone(&self.counts);
        Box::new(move || counts.counts())
    }

    fn channel_capacity(&self) -> usize {
        CAPACITY
    }

    fn can_wait(&self) -> bool {
        true
    }

    fn has_finished(&self) -> bool {
        self.counts.has_finished()
    }
}

#[cfg(test)]
mod tests;
