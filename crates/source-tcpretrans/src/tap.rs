//! The tap: writes a session's events to a recording, as the kernel sent them.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::recording::{Header, Writer};

type Out = Box<dyn Write + Send>;

/// Where events go instead of into a pipeline. The reader's thread writes: while the file is slow, events wait in the
/// kernel's buffer.
#[derive(Debug)]
pub(crate) struct Tap(Mutex<File>);

struct File {
    writer: Writer<Out>,
    /// Events that came, written or not.
    offered: u64,
    /// What the writer failed with.
    failed: Option<io::Error>,
    has_ended: bool,
}

impl Tap {
    /// Writes nothing yet.
    pub(crate) fn new(out: impl Write + Send + 'static, header: &Header) -> Tap {
        let writer = Writer::new(Box::new(out) as Out, header);
        Tap(Mutex::new(File { writer, offered: 0, failed: None, has_ended: false }))
    }

    /// An event; `wall_offset_ns` as [`Writer::event`] takes it. False where nothing can be written any more.
    pub(crate) fn event(&self, bytes: &[u8], wall_offset_ns: i64) -> bool {
        let mut file = self.lock();
        file.offered += 1;
        file.attempt(|writer| writer.event(bytes, wall_offset_ns))
    }

    /// Writes what was gathered. False where nothing can be written any more.
    pub(crate) fn flush(&self) -> bool {
        self.lock().attempt(Writer::flush)
    }

    /// Ends the file, in whose time the kernel counted `seen` events. Once: does nothing after that.
    pub(crate) fn end(&self, seen: u64) {
        let mut file = self.lock();
        if !std::mem::replace(&mut file.has_ended, true) {
            file.attempt(|writer| writer.finish(seen));
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// Events that are in the file and can be read, and events that came and are not.
    pub(crate) fn written_and_not(&self) -> (u64, u64) {
        let file = self.lock();
        (file.writer.written(), file.offered - file.writer.written())
    }

    /// Why not everything could be written. It is taken out: the next call finds nothing.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.lock().failed.take()
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        // A panic while writing leaves it unknown how much was written: nothing may follow that.
        self.0.lock().unwrap_or_else(|poisoned| {
            let mut file = PoisonError::into_inner(poisoned);
            file.failed.get_or_insert_with(|| io::Error::other("writing panicked"));
            self.0.clear_poison();
            file
        })
    }
}

impl File {
    fn attempt(&mut self, step: impl FnOnce(&mut Writer<Out>) -> io::Result<()>) -> bool {
        if self.failed.is_none() {
            self.failed = step(&mut self.writer).err();
        }
        self.failed.is_none()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("offered", &self.offered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
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
            let tap = Tap::new(disk.clone(), &Header::here());
            for number in 0..20_u8 {
                tap.event(&[number; 128], 5);
                if number % 4 == 0 {
                    tap.flush();
                }
            }
            let whole = tap.flush();
            let (written, not_written) = tap.written_and_not();
            assert_eq!((written + not_written, tap.lock().failed.is_none()), (20, whole));
            assert!(!whole || written == 20);
            let holds = disk.holds.lock().unwrap();
            let mut read = 0;
            if let Ok(mut reader) = Reader::new(holds.as_slice()) {
                while let Ok(Some(_)) = reader.next_event() {
                    read += 1;
                }
            }
            assert_eq!(read, written, "room for {room} bytes");
        }
    }
}
