//! The kernel side's counters, mapped into this process: reading them is a load, and needs no privilege.

use std::mem::{offset_of, size_of};
use std::os::fd::AsFd;
use std::ptr;
use std::sync::atomic::{Ordering, fence};

use crate::mapping::Mapping;
use crate::skeleton::types::{wire_counters, wire_kind, wire_loss, wire_lost};

// `lost_events` reads the first number of each.
const _: () = assert!(offset_of!(wire_lost, events) == 0);

/// Number of kinds of events: each has its own counters on each CPU.
pub(crate) const KINDS: usize = wire_kind::KINDS.0 as usize;
const INTERRUPTING: usize = wire_kind::KIND_SEGMENT_INTERRUPTING.0 as usize;
/// How often a snapshot is tried. After that the CPU counts as too busy for one.
const SNAPSHOT_TRIES: usize = 16;

/// [`wire_counters`] is made of so many 64-bit numbers.
const WORDS: usize = size_of::<wire_counters>() / size_of::<u64>();

/// A read-only mapping of the `counters` array: one [`wire_counters`] per CPU and kind.
#[derive(Debug)]
pub(crate) struct Counters {
    mapping: Mapping,
    slots: usize,
}

/// Sums over CPUs and kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KernelCounts {
    /// Events in scope.
    pub(crate) events: u64,
    /// Runs of a program that interrupted a run of the same program and were skipped (kernels before 6.1). The second
    /// program of a hit is not among them: where it is skipped, the first one was not.
    pub(crate) nested: u64,
    /// Of the events, those that the second program told of, because the first one was skipped.
    pub(crate) interrupting: u64,
    /// Segments that no event showed when they were sent, and that the socket's next event has.
    pub(crate) healed_segments: u64,
    /// Events that were not sent, and their segments, by `wire_loss`.
    pub(crate) lost: [Lost; LOSSES],
    /// Events for which there was no room, and their segments, by CPU.
    pub(crate) full_by_cpu: Vec<Lost>,
}

pub(crate) const LOSSES: usize = wire_loss::LOSSES.0 as usize;
const FULL: usize = wire_loss::LOSS_FULL.0 as usize;

/// Events that were not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) events: u64,
    pub(crate) segments: u64,
}

impl std::ops::AddAssign for Lost {
    fn add_assign(&mut self, other: Lost) {
        self.events += other.events;
        self.segments += other.segments;
    }
}

impl KernelCounts {
    fn add(&mut self, cpu: usize, kind: usize, slot: &wire_counters) {
        self.events += slot.events;
        if kind == INTERRUPTING {
            self.interrupting += slot.events;
        } else {
            self.nested += slot.nested;
        }
        self.healed_segments += slot.healed_segments;
        for (sum, lost) in self.lost.iter_mut().zip(&slot.lost) {
            *sum += Lost { events: lost.events, segments: lost.segments };
        }
        if self.full_by_cpu.len() <= cpu {
            self.full_by_cpu.resize(cpu + 1, Lost::default());
        }
        let full = &slot.lost[FULL];
        self.full_by_cpu[cpu] += Lost { events: full.events, segments: full.segments };
    }

    /// Events that were not sent, for whatever reason.
    pub(crate) fn lost_events(&self) -> u64 {
        self.lost.iter().map(|lost| lost.events).sum()
    }
}

impl std::ops::AddAssign<&KernelCounts> for KernelCounts {
    fn add_assign(&mut self, other: &KernelCounts) {
        self.events += other.events;
        self.nested += other.nested;
        self.interrupting += other.interrupting;
        self.healed_segments += other.healed_segments;
        for (sum, lost) in self.lost.iter_mut().zip(&other.lost) {
            *sum += *lost;
        }
        if self.full_by_cpu.len() < other.full_by_cpu.len() {
            self.full_by_cpu.resize(other.full_by_cpu.len(), Lost::default());
        }
        for (sum, full) in self.full_by_cpu.iter_mut().zip(&other.full_by_cpu) {
            *sum += *full;
        }
    }
}

impl Counters {
    /// Maps an mmapable array of `slots` counters: of all CPUs and kinds, `cpu * KINDS + kind`.
    pub(crate) fn map(map: impl AsFd, slots: usize) -> rustix::io::Result<Counters> {
        Ok(Counters { mapping: Mapping::read_only(map, slots * WORDS)?, slots })
    }

    /// The sums now. The kernel goes on counting meanwhile, so the numbers are of moments that are nanoseconds apart.
    pub(crate) fn sum(&self) -> KernelCounts {
        let mut counts = KernelCounts::default();
        for slot in 0..self.slots {
            counts.add(slot / KINDS, slot % KINDS, &self.read(slot));
        }
        counts
    }

    /// Events of a slot that were not sent. It reads these numbers alone, because the reader asks before each pass.
    pub(crate) fn lost_events(&self, slot: usize) -> u64 {
        let word =
            |loss| (offset_of!(wire_counters, lost) + loss * size_of::<wire_lost>()) / size_of::<u64>();
        (0..LOSSES).map(|loss| self.load(slot, word(loss))).sum()
    }

    /// The counters of a slot at one moment, at which no event was under way: each event that is counted had been sent or
    /// lost. `None` where the CPU is too busy now.
    ///
    /// Takes two readings that are equal, in which all events that were begun are finished: each event changes `events`
    /// first and `finished` last. The second reading is for processors that make stores visible in another order than
    /// the program's.
    pub(crate) fn snapshot(&self, slot: usize) -> Option<wire_counters> {
        let is_same = |copy: &wire_counters| {
            // SAFETY: wire_counters holds u64s only, and `copy` is one whole value of it.
            let copy = unsafe { std::slice::from_raw_parts(ptr::from_ref(copy).cast::<u64>(), WORDS) };
            copy.iter().enumerate().all(|(word, number)| self.load(slot, word) == *number)
        };
        (0..SNAPSHOT_TRIES).find_map(|_| {
            let copy = self.read(slot);
            fence(Ordering::Acquire);
            std::hint::spin_loop();
            (copy.events == copy.finished && is_same(&copy)).then_some(copy)
        })
    }

    /// The counters of a slot, each of its own moment.
    pub(crate) fn read(&self, slot: usize) -> wire_counters {
        let mut copy = wire_counters::default();
        let target = ptr::from_mut(&mut copy).cast::<u64>();
        for word in 0..WORDS {
            // SAFETY: wire_counters holds u64s only, so that `copy` is an array of them, and `word` is within.
            unsafe { target.add(word).write(self.load(slot, word)) };
        }
        copy
    }

    /// A number of a slot, by its place.
    fn load(&self, slot: usize, word: usize) -> u64 {
        assert!(slot < self.slots && word < WORDS);
        self.mapping.load(slot * WORDS + word)
    }
}
