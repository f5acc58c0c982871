//! The buffer's reader, whatever the transport, and waiting for it.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::perf::PerfReader;
use crate::ring::RingReader;

/// Reads the buffer of one of the transports.
pub(super) enum Reader {
    Perf(PerfReader),
    Ring(RingReader),
}

impl Reader {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Reader::Perf(reader) => reader.fd(),
            Reader::Ring(reader) => reader.fd(),
        }
    }

    /// Takes everything there is.
    pub(super) fn consume(&self) -> libbpf_rs::Result<()> {
        match self {
            Reader::Perf(reader) => reader.consume(),
            Reader::Ring(reader) => reader.consume(),
        }
    }
}

/// Waits for a reader's buffer and for the session's stop.
pub(super) struct Poll(OwnedFd);

impl Poll {
    /// What epoll says of the stop; of the buffer it says 0.
    const STOP: u64 = 1;

    pub(super) fn new(reader: &Reader, stop: &OwnedFd) -> libbpf_rs::Result<Poll> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(of_errno)?;
        // Edge-triggered: below the wakeup threshold there is data too, and level-triggering would return for it at once.
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&poll, reader.fd(), epoll::EventData::new_u64(0), edge).map_err(of_errno)?;
        let stops = epoll::EventData::new_u64(Poll::STOP);
        epoll::add(&poll, stop, stops, epoll::EventFlags::IN).map_err(of_errno)?;
        Ok(Poll(poll))
    }

    /// Waits until the buffer asks for a wakeup, the session is to stop, or the time is over. True where it is to stop.
    pub(super) fn wait(&self, time: Duration) -> libbpf_rs::Result<bool> {
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 2];
        match epoll::wait(&self.0, &mut events, Some(&time)) {
            Ok(ready) => Ok(events[..ready].iter().any(|event| event.data.u64() == Poll::STOP)),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(of_errno(error)),
        }
    }
}

/// libbpf's error for an errno.
pub(super) fn of_errno(error: Errno) -> libbpf_rs::Error {
    libbpf_rs::Error::from_raw_os_error(error.raw_os_error())
}
