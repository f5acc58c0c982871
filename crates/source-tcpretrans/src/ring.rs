//! The ring buffer: one for all CPUs, made before the programs are loaded so that its size can be halved alone.

use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use libbpf_rs::{MapHandle, MapType, RingBuffer, RingBufferBuilder};

use crate::buffer::{Budget, Refused, open_halving};
use crate::callback::Callback;
use crate::wake::WakeAt;

/// A ring buffer's map. Given to the skeleton before the load, read after it.
pub(crate) struct Ring {
    map: MapHandle,
    /// Bytes reached.
    pub(crate) bytes: u64,
}

/// A consumer of a ring, and of the wakeups that belong to it.
pub(crate) struct RingReader {
    ring: RingBuffer<'static>,
    callback: Rc<Callback>,
    wake_at: WakeAt,
    // Behind the buffers, which read from them until they are dropped.
    wakeups: MapHandle,
    _map: MapHandle,
}

impl Ring {
    /// Makes a ring of `bytes`, or of what the kernel gives.
    pub(crate) fn create(bytes: u64, page_size: u64, budget: Budget) -> libbpf_rs::Result<Ring> {
        let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as libbpf_rs::libbpf_sys::size_t,
            ..Default::default()
        };
        let (map, bytes) = open_halving("ringbuf.size", bytes, page_size, |bytes| {
            // The configuration's validation allows at most 2 GiB.
            let entries = u32::try_from(bytes).unwrap_or(1 << 31);
            MapHandle::create(MapType::RingBuf, Some("events_ring"), 0, 0, entries, &options)
                .map_err(|error| Refused { for_want_of_memory: budget.lacks(error.kind()), error })
        })?;
        Ok(Ring { map, bytes })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }

    /// Starts reading it, and the records in the ring buffer `wakeups` that wake its reader.
    pub(crate) fn read(
        self,
        wakeups: MapHandle,
        wake_at: WakeAt,
        callback: Rc<Callback>,
    ) -> libbpf_rs::Result<RingReader> {
        /// Ends libbpf's pass over the buffer; any number below zero does.
        const STOP: i32 = -1;
        let mut builder = RingBufferBuilder::new();
        let called = Rc::clone(&callback);
        // Before the events: what was sent before a wakeup is then read in the same pass.
        builder.add(&wakeups, |_| 0)?;
        builder.add(&self.map, move |bytes| if called.call(bytes) { 0 } else { STOP })?;
        let ring = builder.build()?;
        Ok(RingReader { ring, callback, wake_at, wakeups, _map: self.map })
    }
}

impl RingReader {
    /// Becomes readable when the kernel side wakes the reader.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wakeups.as_fd()
    }

    /// When the kernel side wakes the reader.
    pub(crate) fn wake_at(&self) -> &WakeAt {
        &self.wake_at
    }

    /// Takes everything there is. Returns whether there was something, be it only a wakeup.
    ///
    /// # Panics
    /// Where the callback panics.
    pub(crate) fn consume(&self) -> libbpf_rs::Result<bool> {
        let taken = self.ring.consume_raw();
        self.callback.go_on();
        if taken < 0 { Err(libbpf_rs::Error::from_raw_os_error(-taken)) } else { Ok(taken > 0) }
    }
}
