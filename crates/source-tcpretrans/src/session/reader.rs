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

    /// Takes everything there is. Returns whether there was something; of perf buffers that is not known.
    pub(super) fn consume(&self) -> libbpf_rs::Result<bool> {
        match self {
            Reader::Perf(reader) => reader.consume().map(|()| true),
            Reader::Ring(reader) => reader.consume(),
        }
    }

    /// Before a wait by a timer: the kernel side wakes the reader early where much is waiting.
    pub(super) fn wake_at_many(&self) {
        match self {
            Reader::Perf(_) => {} // libbpf has set its threshold
            Reader::Ring(reader) => reader.wake_at().many(),
        }
    }

    /// Before the last look and a wait without a timer: the next event wakes the reader. Returns false where that can't
    /// be. Perf buffers have one threshold, and their output has no barrier behind which a program could look whether
    /// the reader sleeps.
    pub(super) fn wake_at_any(&self) -> bool {
        match self {
            Reader::Perf(_) => false,
            Reader::Ring(reader) => {
                reader.wake_at().any();
                true
            }
        }
    }
}

/// Waits for a reader's buffer and for the session's stop.
pub(super) struct Poll(OwnedFd);

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The session is to stop.
    ByStop,
    /// The kernel side has woken the reader, or a signal has.
    Early,
    /// The time is over.
    InTime,
}

impl Poll {
    /// What epoll says of the stop; of the buffer it says 0.
    const STOP: u64 = 1;

    pub(super) fn new(reader: &Reader, stop: &OwnedFd) -> libbpf_rs::Result<Poll> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(of_errno)?;
        // Edge-triggered: below perf's threshold there is data too, and level-triggering would return for it at once.
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&poll, reader.fd(), epoll::EventData::new_u64(0), edge).map_err(of_errno)?;
        let stops = epoll::EventData::new_u64(Poll::STOP);
        epoll::add(&poll, stop, stops, epoll::EventFlags::IN).map_err(of_errno)?;
        Ok(Poll(poll))
    }

    /// Waits until the kernel side wakes the reader, the session is to stop, or the time is over, if there is one.
    pub(super) fn wait(&self, time: Option<Duration>) -> libbpf_rs::Result<Ended> {
        let time =
            time.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() });
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 2];
        match epoll::wait(&self.0, &mut events, time.as_ref()) {
            Ok(0) => Ok(Ended::InTime),
            Ok(ready) if events[..ready].iter().any(|event| event.data.u64() == Poll::STOP) => {
                Ok(Ended::ByStop)
            }
            Ok(_) | Err(Errno::INTR) => Ok(Ended::Early),
            Err(error) => Err(of_errno(error)),
        }
    }
}

/// libbpf's error for an errno.
pub(super) fn of_errno(error: Errno) -> libbpf_rs::Error {
    libbpf_rs::Error::from_raw_os_error(error.raw_os_error())
}
