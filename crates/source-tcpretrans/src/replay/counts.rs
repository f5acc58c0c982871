//! The receiver's numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use otel_tcpretrans_pipeline::books::{GapCounts, ReceiverCounts, Unobserved};

use super::config::Config;
use crate::convert::DecodeError;
use crate::recording::Header;
use crate::undecoded::Undecoded;

/// Shared by the player's thread and all that ask for the numbers. The numbers grow over passes and starts.
#[derive(Debug, Default)]
pub(super) struct ReplayCounts {
    /// Events read.
    read: AtomicU64,
    undecoded: Undecoded,
    /// Events that the recorder lost.
    lost: AtomicU64,
    finished: AtomicBool,
    info: Mutex<Vec<(&'static str, String)>>,
}

impl ReplayCounts {
    /// A replay begins.
    pub(super) fn begin(&self, config: &Config, header: &Header) {
        self.finished.store(false, Ordering::Release);
        *self.info.lock().unwrap_or_else(PoisonError::into_inner) = vec![
            ("file", config.file.display().to_string()),
            ("speed", <&str>::from(config.speed).to_owned()),
            ("kernel_release", header.kernel_release.clone()),
            ("boot_id", header.boot_id.clone()),
        ];
    }

    /// Events that go into the channel.
    pub(super) fn sent(&self, events: u64) {
        self.read.fetch_add(events, Ordering::Relaxed);
    }

    /// An event that can't be decoded.
    pub(super) fn unreadable(&self, error: DecodeError) {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.undecoded.count(error);
    }

    /// Events that are not in the file because the recorder lost them.
    pub(super) fn lost(&self, events: u64) {
        self.lost.fetch_add(events, Ordering::Relaxed);
    }

    /// Everything was handed over.
    pub(super) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    pub(super) fn has_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// The numbers for the books.
    pub(super) fn counts(&self) -> ReceiverCounts {
        let events = self.lost.load(Ordering::Relaxed);
        let lost = Unobserved { place: "recording", reason: "lost", cpu: None, events, segments: None };
        ReceiverCounts {
            makes_points: false,
            seen: self.read.load(Ordering::Relaxed).saturating_add(events),
            received: 0,
            received_segments: 0,
            unobserved: [lost].into_iter().chain(self.undecoded.unobserved()).collect(),
            gaps: GapCounts::default(),
            info: self.info.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            gauges: Vec::new(),
        }
    }
}
