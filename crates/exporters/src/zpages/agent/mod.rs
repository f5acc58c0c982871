//! The receiver of `top --connect` and `trace --connect`: the records of a pipeline of another process, from its page.

mod address;
mod connection;
mod counts;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::chunk::{CHUNK, Sender};
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError, Worker};
use otel_tcpretrans_pipeline::record::{Identity, Record};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

pub use address::Address;
use connection::{Connection, Failure};
use counts::AgentCounts;
pub use watched::Watched;

use super::lines::Line;

/// Records that may wait between the connection and the pipeline.
const CAPACITY: usize = 8192;
/// The pause before the next attempt, when the agent is gone.
const AGAIN: Duration = Duration::from_secs(1);

/// A receiver that watches an agent. When the agent is gone, it connects again.
#[derive(Debug)]
pub struct Agent {
    watched: Watched,
    counts: Arc<AgentCounts>,
    running: Option<Worker>,
}

impl Agent {
    /// A receiver that is not started.
    pub fn new(watched: Watched) -> Agent {
        Agent { watched, counts: Arc::default(), running: None }
    }
}

impl Receiver for Agent {
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        let failed = |error| ReceiverError::Failed(format!("starting the agent's thread: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let connection = runtime
            .block_on(Connection::open(&self.watched))
            .map_err(|error| ReceiverError::Failed(format!("{}: {error}", self.watched.address)))?;
        let mut reading = Reading {
            watched: self.watched.clone(),
            counts: Arc::clone(&self.counts),
            out,
            chunk: Vec::new(),
            sequence: 0,
        };
        let read = async move |mut stopped: watch::Receiver<()>| {
            tokio::select! {
                _ = stopped.changed() => {}
                () = reading.follow(connection) => {}
            }
        };
        self.running = Some(Worker::start("agent", runtime, read).map_err(failed)?);
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

    /// If this waits, the agent does not: it leaves records out, and says how many.
    fn can_wait(&self) -> bool {
        true
    }
}

/// Owned by the thread.
struct Reading {
    watched: Watched,
    counts: Arc<AgentCounts>,
    out: Sender<Record>,
    chunk: Vec<Record>,
    /// Number of events so far.
    sequence: u64,
}

impl Reading {
    /// Reads connections, one after the other, until the other end of the channel is closed.
    async fn follow(&mut self, mut connection: Connection) {
        loop {
            let Some(why) = self.read(&mut connection).await else { return };
            warn!("the agent is gone, connecting again: {why}");
            let gone = Instant::now();
            connection = loop {
                sleep(AGAIN).await;
                if let Ok(connection) = Connection::open(&self.watched).await {
                    break connection;
                }
            };
            let seconds = gone.elapsed().as_secs();
            info!(address = %self.watched.address, "connected again");
            warn!("the agent was gone for {seconds} s, which are not counted");
        }
    }

    /// Reads one connection to its end, and returns why it ended. `None` if the other end of the channel is closed.
    async fn read(&mut self, connection: &mut Connection) -> Option<Failure> {
        self.counts.connect();
        loop {
            let line = match connection.line() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    // What came together is handed over together.
                    self.hand_over().await?;
                    if let Err(error) = connection.more().await {
                        return Some(error);
                    }
                    continue;
                }
                Err(error) => return Some(error),
            };
            match line {
                Line::Status(status) => self.counts.told(&status),
                Line::Record(record) => self.take(record),
            }
            if self.chunk.len() >= CHUNK {
                self.hand_over().await?;
            }
        }
    }

    /// The line does not tell the record's identity, so it gets one here. A gap has none.
    fn take(&mut self, record: Record) {
        let sequence = self.sequence;
        let identity = record.flow.map(|_| Identity { cpu: 0, stream: 0, sequence });
        self.sequence += u64::from(identity.is_some());
        self.chunk.push(Record { identity, ..record });
    }

    /// `None` if the other end of the channel is closed.
    async fn hand_over(&mut self) -> Option<()> {
        while !self.chunk.is_empty() {
            let room = self.out.reserve(self.chunk.len()).await?;
            let part: Vec<_> = self.chunk.drain(..room.len()).collect();
            let events = part.iter().filter(|record| record.identity.is_some()).count() as u64;
            self.out.send(room, part.into()).ok()?;
            self.counts.received(events);
        }
        Some(())
    }
}
