//! The kernel side's counters, mapped into this process: reading them is a load, and needs no privilege.

use std::mem::{offset_of, size_of};
use std::os::fd::AsFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::skeleton::types::wire_counters;

/// A read-only mapping of the `counters` array: one [`wire_counters`] a CPU and kind.
#[derive(Debug)]
pub(crate) struct Counters {
    start: NonNull<wire_counters>,
    entries: usize,
    bytes: usize,
}

/// Sums over CPUs and kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Events in scope.
    pub(crate) events: u64,
    /// Segments by which the kernel's own count moved.
    pub(crate) segments: u64,
    /// Of those, what no event showed when it was sent.
    pub(crate) healed_segments: u64,
    /// Events that found the ring buffer full.
    pub(crate) ring_full: u64,
    /// Events that `bpf_perf_event_output` refused for another reason than a full buffer.
    pub(crate) output_failed: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.events += other.events;
        self.segments += other.segments;
        self.healed_segments += other.healed_segments;
        self.ring_full += other.ring_full;
        self.output_failed += other.output_failed;
    }
}

impl Counters {
    /// Maps an mmapable array of `entries` counters.
    pub(crate) fn map(map: impl AsFd, entries: usize) -> rustix::io::Result<Counters> {
        let bytes = (entries * size_of::<wire_counters>()).next_multiple_of(rustix::param::page_size());
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe { mmap(ptr::null_mut(), bytes, ProtFlags::READ, MapFlags::SHARED, map, 0)? };
        let start = NonNull::new(start.cast()).ok_or(rustix::io::Errno::INVAL)?;
        Ok(Counters { start, entries, bytes })
    }

    /// The sums now. The kernel goes on counting meanwhile: each number is right, their moments differ by ns.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for entry in 0..self.entries {
            totals += Totals {
                events: self.load(entry, offset_of!(wire_counters, events)),
                segments: self.load(entry, offset_of!(wire_counters, segments)),
                healed_segments: self.load(entry, offset_of!(wire_counters, healed_segments)),
                ring_full: self.load(entry, offset_of!(wire_counters, ring_full)),
                output_failed: self.load(entry, offset_of!(wire_counters, output_failed)),
            };
        }
        totals
    }

    /// The number at `offset` bytes in an entry.
    fn load(&self, entry: usize, offset: usize) -> u64 {
        assert!(entry < self.entries && offset + size_of::<u64>() <= size_of::<wire_counters>());
        // SAFETY: by the assertion the address lies in the mapping, which lives as long as self. The kernel adds to it
        // meanwhile, which an atomic load may race with; all fields are u64s, so that it is aligned.
        let number = unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(entry).byte_add(offset).cast()) };
        number.load(Ordering::Relaxed)
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing points into it after this.
        if let Err(error) = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) } {
            tracing::warn!(%error, "unmapping the counters");
        }
    }
}

// SAFETY: the mapping is read by atomic loads only, from any thread, and unmapped once, by its owner.
unsafe impl Send for Counters {}
// SAFETY: as for Send.
unsafe impl Sync for Counters {}
