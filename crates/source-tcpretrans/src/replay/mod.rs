//! The `replay` receiver: a recording in place of the kernel. Needs no privilege.
//!
//! Unlike a live receiver it waits where the pipelines have no room, so that nothing of a recording is lost, and it
//! finishes. Its books are those of the recording: what the recorder lost is unobserved here too.

mod config;
mod player;
mod stats;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError};
use otel_tcpretrans_pipeline::record::Record;
use tokio::runtime::Builder;
use tokio::sync::{mpsc::Sender, watch};

pub use config::{Config, Speed};

use crate::recording::Reader;
use player::Player;
use stats::Stats;

/// Events that may wait between the player and the pipelines.
const CAPACITY: usize = 8192;

/// The `replay` receiver.
#[derive(Debug)]
pub struct Replay {
    config: Config,
    stats: Arc<Stats>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    /// Dropped to stop it.
    stop: watch::Sender<()>,
}

impl Replay {
    /// A receiver that is not started. Touches nothing.
    pub fn new(config: Config) -> Replay {
        Replay { config, stats: Arc::default(), running: None }
    }
}

impl Receiver for Replay {
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        if self.running.is_some() {
            return Err(ReceiverError::Failed("it is running already".to_owned()));
        }
        let reader = Reader::open(&self.config.file)
            .map_err(|error| ReceiverError::Configuration(format!("file: {error}")))?;
        self.stats.begin(&self.config, reader.header());
        let failed = |error| ReceiverError::Failed(format!("starting the replay's thread: {error}"));
        let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let (stop, stopped) = watch::channel(());
        let player = Player {
            file: self.config.file.clone(),
            speed: self.config.speed,
            repeat: self.config.repeat,
            stats: Arc::clone(&self.stats),
            stop: stopped,
            out,
        };
        let thread = thread::Builder::new()
            .name("replay".to_owned())
            .spawn(move || runtime.block_on(player.play(reader)))
            .map_err(failed)?;
        self.running = Some(Running { thread, stop });
        Ok(())
    }

    fn stop(&mut self) {
        let Some(Running { thread, stop }) = self.running.take() else { return };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the replay's thread panicked");
        }
    }

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        let stats = Arc::clone(&self.stats);
        Box::new(move || stats.counts())
    }

    fn channel_capacity(&self) -> usize {
        CAPACITY
    }

    fn can_wait(&self) -> bool {
        true
    }

    fn has_finished(&self) -> bool {
        self.stats.has_finished()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
