//! Recording: a `tcpretrans` receiver whose events go to a file as they come, instead of into a pipeline.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otel_tcpretrans_pipeline::books::{ReceiverCounts, Unobserved};
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError};
use otel_tcpretrans_pipeline::record::Record;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::receiver::Tcpretrans;
use crate::recording::{Header, Writer};

type Out = Box<dyn Write + Send>;

/// Where a recorder's events go. Written by the reader's thread: while the file is slow, they wait in the kernel's
/// buffer.
#[derive(Debug)]
pub(crate) struct Tap(Mutex<Recording>);

struct Recording {
    writer: Writer<Out>,
    /// Events that came, written or not.
    offered: u64,
    /// What the writer failed with.
    failed: Option<io::Error>,
}

/// A recorder at work.
#[derive(Debug)]
pub struct Recorder {
    receiver: Tcpretrans,
    tap: Arc<Tap>,
    /// Stays empty, and closes when the recorder ends.
    events: mpsc::Receiver<Record>,
}

/// What a recorder leaves behind.
#[derive(Debug)]
pub struct Recorded {
    /// Its books: `received` is what was written, and can be read.
    pub counts: ReceiverCounts,
    /// Why it could not write everything.
    pub failed: Option<io::Error>,
}

impl Tap {
    /// An event; `wall_offset_ns` as [`Writer::event`] takes it. False where nothing can be written any more.
    pub(crate) fn event(&self, bytes: &[u8], wall_offset_ns: i64) -> bool {
        let mut recording = self.lock();
        recording.offered += 1;
        recording.attempt(|writer| writer.event(bytes, wall_offset_ns))
    }

    /// Writes what was gathered. False where nothing can be written any more.
    pub(crate) fn flush(&self) -> bool {
        self.lock().attempt(Writer::flush)
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        // Nobody panics while writing; a record more or less in the buffer would be all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    fn attempt(&mut self, step: impl FnOnce(&mut Writer<Out>) -> io::Result<()>) -> bool {
        if self.failed.is_none() {
            self.failed = step(&mut self.writer).err();
        }
        self.failed.is_none()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("offered", &self.offered).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Starts recording to `out`, and returns when it is ready.
    ///
    /// # Errors
    /// As those of [`Receiver::start`]; nothing has been written then.
    pub fn start(config: Config, out: impl Write + Send + 'static) -> Result<Recorder, ReceiverError> {
        let writer = Writer::new(Box::new(out) as Out, &Header::here());
        let tap = Arc::new(Tap(Mutex::new(Recording { writer, offered: 0, failed: None })));
        let mut receiver = Tcpretrans::tapped(config, Arc::clone(&tap));
        let (sender, events) = mpsc::channel(1);
        receiver.start(sender)?;
        Ok(Recorder { receiver, tap, events })
    }

    /// Waits until it ends by itself: it could not write, or not read any more. Cancel-safe.
    pub async fn ended(&mut self) {
        while self.events.recv().await.is_some() {}
    }

    /// How it works: hook, transport, sizes.
    pub fn counts(&self) -> ReceiverCounts {
        self.receiver.probe()()
    }

    /// Stops it, takes what is left in the kernel's buffer, and ends the file. Blocks for at most one poll of the
    /// kernel and a write.
    pub fn finish(mut self) -> Recorded {
        self.receiver.stop();
        let mut counts = self.counts();
        let mut recording = self.tap.lock();
        let seen = counts.seen;
        recording.attempt(|writer| writer.finish(seen));
        counts.received = recording.writer.written();
        counts.unobserved.push(Unobserved {
            place: "file",
            reason: "not_written",
            cpu: None,
            events: recording.offered - counts.received,
            segments: None,
        });
        Recorded { counts, failed: recording.failed.take() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::recording::Reader;

    /// A disk that is full after so many bytes. What it holds can be read.
    #[derive(Clone, Default)]
    struct Disk {
        room: Arc<AtomicU64>,
        holds: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.load(Ordering::Relaxed).min(bytes.len() as u64);
            if room == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room.fetch_sub(room, Ordering::Relaxed);
            self.holds.lock().unwrap().extend(&bytes[..room as usize]);
            Ok(room as usize)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Whatever the size of the disk: as many events can be read as are said to be written, and the failure is kept.
    #[test]
    fn what_a_full_disk_holds_can_be_read_and_is_counted() {
        for room in (0..3000).step_by(7) {
            let disk = Disk { room: Arc::new(room.into()), ..Disk::default() };
            let writer = Writer::new(Box::new(disk.clone()) as Out, &Header::here());
            let tap = Tap(Mutex::new(Recording { writer, offered: 0, failed: None }));
            for number in 0..20_u8 {
                tap.event(&[number; 128], 5);
                if number % 4 == 0 {
                    tap.flush();
                }
            }
            let whole = tap.flush();
            let recording = tap.lock();
            assert_eq!((recording.offered, recording.failed.is_none()), (20, whole));
            assert!(!whole || recording.writer.written() == 20);
            let holds = disk.holds.lock().unwrap();
            let mut read = 0;
            if let Ok(mut reader) = Reader::new(holds.as_slice()) {
                while let Ok(Some(_)) = reader.next_event() {
                    read += 1;
                }
            }
            assert_eq!(read, recording.writer.written(), "room for {room} bytes");
        }
    }
}
