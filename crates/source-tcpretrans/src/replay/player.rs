//! The player's thread: reads, decodes, waits for its moment and for room, and hands over.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_tcpretrans_pipeline::chunk::{CHUNK, Room, Sender};
use otel_tcpretrans_pipeline::record::Record;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::config::Speed;
use super::counts::ReplayCounts;
use crate::convert::decode;
use crate::recording::{Damage, Reader, Tear};

type FileReader = Reader<BufReader<File>>;

/// Owned by the thread. Its end of the channel closes when it ends.
pub(super) struct Player {
    pub(super) file: PathBuf,
    pub(super) speed: Speed,
    pub(super) repeat: bool,
    pub(super) counts: Arc<ReplayCounts>,
    /// Closes when it is to stop.
    pub(super) stop: watch::Receiver<()>,
    pub(super) out: Sender<Record>,
    /// What was read and is not handed over yet.
    pub(super) chunk: Vec<Record>,
}

/// How a pass over the file ended.
enum Pass {
    /// At its end, or at its tear.
    Over(Option<Tear>),
    /// The replay is stopped, or the other end of the channel is gone.
    Stopped,
    /// The file can't be read any more.
    Failed(Tear),
}

impl Player {
    /// Plays until it has finished, is stopped or has failed.
    pub(super) async fn play(mut self, mut reader: FileReader) {
        let mut first = true;
        loop {
            let pass = self.pass(&mut reader).await;
            if std::mem::take(&mut first) {
                self.say(&pass, &reader);
            }
            match pass {
                Pass::Over(_) if self.repeat && reader.events() > 0 => {}
                Pass::Over(_) => return self.counts.finish(),
                Pass::Failed(tear) => {
                    let (file, events) = (self.file.display(), reader.events());
                    return error!("replay: {file}: {tear}, after {events} events");
                }
                Pass::Stopped => return,
            }
            match Reader::open(&self.file) {
                Ok(again) => reader = again,
                Err(error) => return error!(%error, "replay: beginning again"),
            }
        }
    }

    async fn pass(&mut self, reader: &mut FileReader) -> Pass {
        let most = match self.speed {
            Speed::Realtime => 1,
            Speed::Max => CHUNK,
        };
        let mut beginning = None;
        // Room first: an event that was read is an event that is handed over.
        while let Some(room) = self.room(most).await {
            let filled = self.fill(&room, reader, &mut beginning).await;
            self.hand_over(room);
            if let Some(over) = filled {
                return over;
            }
        }
        Pass::Stopped
    }

    /// Reads as many events as there is room for. How the pass ended, if it did.
    async fn fill(
        &mut self,
        room: &Room,
        reader: &mut FileReader,
        beginning: &mut Option<(Instant, u64)>,
    ) -> Option<Pass> {
        while self.chunk.len() < room.len() {
            let event = match reader.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => {
                    self.counts.lost(reader.lost());
                    return Some(Pass::Over(None));
                }
                Err(tear) if matches!(tear.damage, Damage::Unreadable(_)) => return Some(Pass::Failed(tear)),
                Err(tear) => return Some(Pass::Over(Some(tear))),
            };
            match decode(event.bytes, event.wall_offset_ns) {
                Ok(record) => {
                    if self.speed == Speed::Realtime {
                        // The boot time again: a step of the recorder's clock is no pause.
                        let boot_time = record.time_unix_nano.saturating_sub_signed(event.wall_offset_ns);
                        let (began, first) = *beginning.get_or_insert((Instant::now(), boot_time));
                        let due = Duration::from_nanos(boot_time.saturating_sub(first));
                        if !pause(due.saturating_sub(began.elapsed()), &mut self.stop).await {
                            return Some(Pass::Stopped);
                        }
                    }
                    self.chunk.push(record);
                }
                Err(error) => self.counts.unreadable(error),
            }
        }
        None
    }

    /// Hands over what was read.
    fn hand_over(&mut self, room: Room) {
        self.counts.sent(self.chunk.len() as u64);
        // If the other end is gone, the next look for room ends the replay.
        let _ = self.out.send(room, self.chunk.drain(..).collect());
    }

    /// Waits for room for at most `most` events. `None` if the replay is stopped, or the other end of the channel is
    /// gone.
    async fn room(&mut self, most: usize) -> Option<Room> {
        // An error says that the other end was dropped.
        self.stop.has_changed().ok()?;
        tokio::select! {
            biased;
            room = self.out.reserve(most) => room,
            _ = self.stop.changed() => None,
        }
    }

    /// Logs how a pass ended. It is called for the first one alone, since the others end in the same way.
    fn say(&self, pass: &Pass, reader: &FileReader) {
        let (file, events, lost) = (self.file.display(), reader.events(), reader.lost());
        match pass {
            Pass::Over(None) => {
                info!(%file, events, lost_by_the_recorder = lost, "replay: the end of the file");
            }
            Pass::Over(Some(tear)) => {
                warn!("replay: {file}: {tear}; {events} events before that were read");
            }
            Pass::Stopped | Pass::Failed(_) => {}
        }
    }
}

/// Waits this long. False where the replay is stopped meanwhile.
async fn pause(time: Duration, stop: &mut watch::Receiver<()>) -> bool {
    if time.is_zero() {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        _ = stop.changed() => false,
    }
}
