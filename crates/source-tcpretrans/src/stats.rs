//! The receiver's numbers: the kernel's own, and what the reader did with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use otel_tcpretrans_pipeline::books::{Healed, ReceiverCounts, Unobserved};

use crate::counters::{Counters, Totals};

/// Shared by the reader's thread and whoever asks; lives as long as the receiver, over stops and starts.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    kernel: Mutex<Kernel>,
    /// Events that the reader took out of the kernel's buffers.
    pub(crate) taken: AtomicU64,
    /// Events of those that the channel had no room for.
    pub(crate) channel_full: AtomicU64,
    /// Events that the kernel saw and that never came, without a word.
    unreported: AtomicU64,
    /// Records too short to be an event.
    pub(crate) truncated: AtomicU64,
    /// Records of an unknown kind.
    pub(crate) unknown_kind: AtomicU64,
}

#[derive(Debug, Default)]
struct Kernel {
    /// From the sessions before this one.
    before: Totals,
    /// This session's counters, while it runs.
    counters: Option<Counters>,
    /// Of the sessions before this one, and of this one.
    misses_before: u64,
    misses: u64,
    /// Samples that the perf buffer lost, by CPU.
    lost_by_cpu: Vec<u64>,
    /// Facts of the last session.
    info: Vec<(&'static str, String)>,
    gauges: Vec<(&'static str, &'static str, u64)>,
}

impl Stats {
    /// A session begins.
    pub(crate) fn begin(
        &self,
        counters: Counters,
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
            kernel.before += counters.totals();
        }
        kernel.misses_before += std::mem::take(&mut kernel.misses);
    }

    /// The kernel skipped the session's programs so often.
    pub(crate) fn recursion_misses(&self, misses: u64) {
        self.lock().misses = misses;
    }

    /// The perf buffer of `cpu` lost samples.
    pub(crate) fn lost(&self, cpu: usize, samples: u64) {
        let mut kernel = self.lock();
        if kernel.lost_by_cpu.len() <= cpu {
            kernel.lost_by_cpu.resize(cpu + 1, 0);
        }
        kernel.lost_by_cpu[cpu] += samples;
    }

    /// Events that the kernel saw and of which nothing more is known: on their way, or lost without a word.
    pub(crate) fn missing(&self) -> u64 {
        let kernel = self.lock();
        let totals = kernel.totals();
        let lost: u64 = kernel.lost_by_cpu.iter().sum();
        let known = self.taken.load(Ordering::Relaxed)
            + self.unreported.load(Ordering::Relaxed)
            + lost
            + totals.ring_full
            + totals.output_failed;
        totals.events.saturating_sub(known)
    }

    /// After the last pass: what is still missing will not come. A perf buffer tells of its losses with the next sample
    /// only, so those at the very end are found here.
    pub(crate) fn settle(&self) {
        let missing = self.missing();
        self.unreported.fetch_add(missing, Ordering::Relaxed);
    }

    /// The numbers for the books.
    pub(crate) fn counts(&self) -> ReceiverCounts {
        let kernel = self.lock();
        let totals = kernel.totals();
        // The kernel skipped these programs before they could count.
        let misses = kernel.misses_before + kernel.misses;
        let mut unobserved = vec![
            unobserved("kernel", "recursion", misses),
            unobserved("kernel", "ring_full", totals.ring_full),
            unobserved("kernel", "output_failed", totals.output_failed),
            unobserved("kernel", "unreported", self.unreported.load(Ordering::Relaxed)),
            unobserved("channel", "channel_full", self.channel_full.load(Ordering::Relaxed)),
            unobserved("decode", "truncated", self.truncated.load(Ordering::Relaxed)),
            unobserved("decode", "unknown_kind", self.unknown_kind.load(Ordering::Relaxed)),
        ];
        unobserved.extend(kernel.lost_by_cpu.iter().enumerate().map(|(cpu, lost)| Unobserved {
            cpu: u32::try_from(cpu).ok(),
            ..self::unobserved("kernel", "perf_lost", *lost)
        }));
        let healed = ("healed_segments", "{segment}", totals.healed_segments);
        let gauges = kernel.gauges.iter().copied().chain([healed]);
        ReceiverCounts {
            seen: totals.events + misses,
            received: 0,
            unobserved,
            healed: Healed::default(),
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
    fn totals(&self) -> Totals {
        let mut totals = self.before;
        if let Some(counters) = &self.counters {
            totals += counters.totals();
        }
        totals
    }
}

fn unobserved(place: &'static str, reason: &'static str, events: u64) -> Unobserved {
    Unobserved { place, reason, cpu: None, events, segments: None }
}
