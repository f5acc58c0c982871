//! The receiver's numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use otel_tcpretrans_pipeline::books::{GapCounts, ReceiverCounts, Unobserved};

use super::config::Config;
use crate::convert::DecodeError;
use crate::recording::Header;

/// Shared by the player's thread and all that ask for the numbers. The numbers grow over passes and starts.
#[derive(Debug, Default)]
pub(super) struct ReplayCounts {
    /// Events read.
    read: AtomicU64,
    truncated: AtomicU64,
    unknown_kind: AtomicU64,
    unknown_family: AtomicU64,
    unknown_family_segments: AtomicU64,
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

    /// An event that goes into the channel.
    pub(super) fn sent(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    /// An event that can't be decoded.
    pub(super) fn unreadable(&self, error: DecodeError) {
        let counter = match error {
            DecodeError::Truncated(_) => &self.truncated,
            DecodeError::UnknownKind(_) => &self.unknown_kind,
            DecodeError::UnknownFamily { segments, .. } => {
                self.unknown_family_segments.fetch_add(segments.into(), Ordering::Relaxed);
                &self.unknown_family
            }
        };
        self.read.fetch_add(1, Ordering::Relaxed);
        counter.fetch_add(1, Ordering::Relaxed);
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
        let unobserved = |place, reason, counter: &AtomicU64| {
            let events = counter.load(Ordering::Relaxed);
            Unobserved { place, reason, cpu: None, events, segments: None }
        };
        let unobserved = vec![
            unobserved("recording", "lost", &self.lost),
            unobserved("decode", "truncated", &self.truncated),
            unobserved("decode", "unknown_kind", &self.unknown_kind),
            Unobserved {
                segments: Some(self.unknown_family_segments.load(Ordering::Relaxed)),
                ..unobserved("flow", "unknown_family", &self.unknown_family)
            },
        ];
        ReceiverCounts {
            seen: self.read.load(Ordering::Relaxed).saturating_add(unobserved[0].events),
            received: 0,
            unobserved,
            gaps: GapCounts::default(),
            info: self.info.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            gauges: Vec::new(),
        }
    }
}
