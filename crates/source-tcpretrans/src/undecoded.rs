//! Counts of the events that could not be made into a record, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

use otel_tcpretrans_pipeline::books::Unobserved;

use crate::convert::DecodeError;

/// Shared by the thread that reads events and all that ask for the numbers.
#[derive(Debug, Default)]
pub(crate) struct Undecoded {
    truncated: AtomicU64,
    unknown_kind: AtomicU64,
    unknown_family: AtomicU64,
    unknown_family_segments: AtomicU64,
}

impl Undecoded {
    /// Counts one event.
    pub(crate) fn count(&self, error: DecodeError) {
        let counter = match error {
            DecodeError::Truncated(_) => &self.truncated,
            DecodeError::UnknownKind(_) => &self.unknown_kind,
            DecodeError::UnknownFamily { segments, .. } => {
                self.unknown_family_segments.fetch_add(segments.into(), Ordering::Relaxed);
                &self.unknown_family
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers for the books.
    pub(crate) fn unobserved(&self) -> [Unobserved; 3] {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let events = |place, reason, number| Unobserved {
            place,
            reason,
            cpu: None,
            events: load(number),
            segments: None,
        };
        [
            events("decode", "truncated", &self.truncated),
            events("decode", "unknown_kind", &self.unknown_kind),
            Unobserved {
                segments: Some(load(&self.unknown_family_segments)),
                ..events("flow", "unknown_family", &self.unknown_family)
            },
        ]
    }
}
