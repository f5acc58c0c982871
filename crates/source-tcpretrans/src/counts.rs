//! The receiver's numbers: the kernel's own, and what the reader did with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otel_tcpretrans_pipeline::books::{GapCounts, ReceiverCounts, Unobserved};
use otel_tcpretrans_pipeline::pulses::Turns;

use crate::counters::{Counters, KernelCounts, Lost};
use crate::skeleton::types::wire_loss;
use crate::undecoded::Undecoded;

/// Shared by the reader's thread and all that ask for the numbers. It lives as long as the receiver, over stops and
/// starts.
#[derive(Debug, Default)]
pub(crate) struct LiveCounts {
    kernel: Mutex<Kernel>,
    /// The reader's passes over the kernel's buffers.
    pub(crate) passes: Turns,
    /// Events that the reader took out of the kernel's buffers.
    pub(crate) taken: AtomicU64,
    /// Events of those that the channel had no room for.
    pub(crate) channel_full: LostByReader,
    /// Events of those that are no records.
    pub(crate) undecoded: Undecoded,
    /// Events that were in no buffer when the session ended, though they were sent.
    unreported: AtomicU64,
    /// Gaps that were delivered, and the events and segments in them.
    pub(crate) gap_records: AtomicU64,
    pub(crate) gap_events: AtomicU64,
    pub(crate) gap_segments: AtomicU64,
}

/// [`Lost`], for several threads.
#[derive(Debug, Default)]
pub(crate) struct LostByReader {
    pub(crate) events: AtomicU64,
    pub(crate) segments: AtomicU64,
}

#[derive(Debug, Default)]
struct Kernel {
    /// From the sessions before this one.
    before: KernelCounts,
    /// This session's counters, while it runs.
    counters: Option<Arc<Counters>>,
    /// Of the sessions before this one, and of this one.
    misses_before: u64,
    misses: u64,
    /// How the last session works: hook and transport, and sizes.
    info: Vec<(&'static str, String)>,
    gauges: Vec<(&'static str, &'static str, u64)>,
}

impl LiveCounts {
    /// A session begins.
    pub(crate) fn begin(
        &self,
        counters: Arc<Counters>,
        info: Vec<(&'static str, String)>,
        gauges: Vec<(&'static str, &'static str, u64)>,
    ) {
        let mut kernel = self.lock();
        kernel.counters = Some(counters);
        kernel.info = info;
        kernel.gauges = gauges;
    }

    /// A session ends: its counters are kept as numbers and unmapped.
    pub(crate) fn end(&self) {
        let mut kernel = self.lock();
        if let Some(counters) = kernel.counters.take() {
            kernel.before += &counters.sum();
        }
        kernel.misses_before += std::mem::take(&mut kernel.misses);
    }

    /// Sets how often the kernel skipped the session's programs.
    pub(crate) fn recursion_misses(&self, misses: u64) {
        self.lock().misses = misses;
    }

    /// Events that the kernel side counted and that are neither taken nor known as lost: they are still in a buffer, or
    /// no counter has them.
    pub(crate) fn missing(&self) -> u64 {
        let counts = self.lock().sum();
        let known = self.taken.load(Ordering::Relaxed)
            + self.unreported.load(Ordering::Relaxed)
            + counts.lost_events();
        counts.events.saturating_sub(known)
    }

    /// Events that the kernel side has counted; `None` while no session runs.
    pub(crate) fn running_events(&self) -> Option<u64> {
        let kernel = self.lock();
        kernel.counters.as_ref()?;
        Some(kernel.sum().events)
    }

    /// After the last pass: counts what is still missing as unreported, since it can't come any more.
    pub(crate) fn settle(&self) {
        let missing = self.missing();
        self.unreported.fetch_add(missing, Ordering::Relaxed);
    }

    /// The numbers for the books.
    pub(crate) fn counts(&self) -> ReceiverCounts {
        let kernel = self.lock();
        let counts = kernel.sum();
        // Runs that were skipped before they could count an event, without those that the second program made good.
        let misses = kernel.misses_before + kernel.misses + counts.nested;
        let misses = misses.saturating_sub(counts.interrupting);
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let events = |place, reason, events| Unobserved { place, reason, cpu: None, events, segments: None };
        let lost = |place, reason, lost: Lost| Unobserved {
            place,
            reason,
            cpu: None,
            events: lost.events,
            segments: Some(lost.segments),
        };
        let of = |loss: wire_loss| counts.lost[loss.0 as usize];
        let channel_full =
            Lost { events: load(&self.channel_full.events), segments: load(&self.channel_full.segments) };
        let mut unobserved = vec![
            events("kernel", "recursion", misses),
            lost("kernel", "no_buffer", of(wire_loss::LOSS_NO_BUFFER)),
            lost("kernel", "output_busy", of(wire_loss::LOSS_BUSY)),
            lost("kernel", "output_failed", of(wire_loss::LOSS_OTHER)),
            events("kernel", "unreported", load(&self.unreported)),
            lost("channel", "channel_full", channel_full),
        ];
        unobserved.extend(self.undecoded.unobserved());
        unobserved.extend(counts.full_by_cpu.iter().enumerate().map(|(cpu, full)| Unobserved {
            cpu: u32::try_from(cpu).ok(),
            ..lost("kernel", "ring_full", *full)
        }));
        let healed = ("healed_segments", "{segment}", counts.healed_segments);
        let interrupting = ("interrupting_events", "{event}", counts.interrupting);
        let gauges = kernel.gauges.iter().copied().chain([healed, interrupting]);
        ReceiverCounts {
            makes_points: false,
            seen: counts.events + misses,
            received: 0,
            received_segments: 0,
            unobserved,
            gaps: GapCounts {
                records: load(&self.gap_records),
                events: load(&self.gap_events),
                segments: load(&self.gap_segments),
            },
            info: kernel.info.clone(),
            gauges: gauges.collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kernel> {
        // Every change is one addition or assignment: a panic elsewhere leaves the numbers whole.
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kernel {
    fn sum(&self) -> KernelCounts {
        let mut counts = self.before.clone();
        if let Some(counters) = &self.counters {
            counts += &counters.sum();
        }
        counts
    }
}
