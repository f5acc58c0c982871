//! When the kernel side wakes the reader of the ring buffer: see bpf/wake.h, which has the other half of this.

use std::mem::size_of;
use std::os::fd::AsFd;
use std::sync::atomic::{Ordering, fence};

use libbpf_rs::libbpf_sys::BPF_RINGBUF_HDR_SZ;

use crate::mapping::Mapping;
use crate::skeleton::types::{bss, wire_wake};
use crate::wire::EVENT_SIZE;

// `wake_at` is the only variable of the kernel side.
const _: () = assert!(size_of::<bss>() == size_of::<u64>());

/// Bytes that an event takes in a ring buffer.
const RECORD: u64 = EVENT_SIZE as u64 + BPF_RINGBUF_HDR_SZ as u64;

/// The variable `wake_at`, mapped.
#[derive(Debug)]
pub(crate) struct WakeAt {
    variable: Mapping,
    /// So many bytes wake a reader that looks by a timer.
    many: u64,
}

impl WakeAt {
    /// Maps it out of the map of the kernel side's variables. `events` that wait are many, or
    /// else what fills half of the buffer of `bytes`.
    pub(crate) fn map(variables: impl AsFd, events: Option<u32>, bytes: u64) -> rustix::io::Result<WakeAt> {
        let many = events.map_or(bytes / 2, |events| u64::from(events) * RECORD);
        Ok(WakeAt { variable: Mapping::writable(variables, 1)?, many })
    }

    /// The reader looks by a timer from here on. Many events, or a loss, wake it before.
    pub(crate) fn many(&self) {
        self.variable.store(0, self.many);
    }

    /// The next event wakes the reader. It must look into its buffers once more before it sleeps: an event that it does
    /// not find there then will find what is written here.
    pub(crate) fn any(&self) {
        self.variable.store(0, wire_wake::WAKE_AT_ANY.0.into());
        fence(Ordering::SeqCst); // without it the processor might look first
    }
}
