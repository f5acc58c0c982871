//! What a store holds: one row per request.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery::Request;

/// A stored request.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its place in the order.
    pub(crate) id: i64,
    /// The pipeline from which it came.
    pub(crate) pipeline: Arc<str>,
    /// When it was first enqueued, in ms since the Unix epoch, by the store's [`AgeClock`](super::AgeClock).
    pub(crate) first_enqueued: i64,
    pub(crate) request: Request,
}

/// A stored request without its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: i64,
    pub(crate) pipeline: Arc<str>,
    pub(crate) first_enqueued: i64,
    pub(crate) items: u64,
    /// Size of its body.
    pub(crate) bytes: u64,
}

impl Row {
    pub(crate) fn head(&self) -> Head {
        Head {
            id: self.id,
            pipeline: Arc::clone(&self.pipeline),
            first_enqueued: self.first_enqueued,
            items: self.request.items,
            bytes: self.request.bytes(),
        }
    }

    /// Tells a row that the disk has changed from one that is whole. SQLite has checksums of its log only.
    pub(super) fn checksum(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        let (format, compression): (&str, &str) =
            (self.request.format.into(), self.request.compression.into());
        for text in [self.pipeline.as_ref(), format, compression] {
            hash.update(text.as_bytes());
            hash.update(&[0]);
        }
        hash.update(&self.id.to_le_bytes());
        hash.update(&self.first_enqueued.to_le_bytes());
        hash.update(&self.request.items.to_le_bytes());
        hash.update(&self.request.body);
        hash.finalize()
    }
}

/// Sums over the rows of one pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) requests: i64,
    pub(crate) items: i64,
    /// Size of the bodies.
    pub(crate) bytes: i64,
}

impl Total {
    pub(super) fn add(&mut self, head: &Head) {
        self.change(head, 1);
    }

    pub(super) fn subtract(&mut self, head: &Head) {
        self.change(head, -1);
    }

    fn change(&mut self, head: &Head, sign: i64) {
        let signed = |number: u64| sign * i64::try_from(number).unwrap_or(i64::MAX);
        self.requests += sign;
        self.items += signed(head.items);
        self.bytes += signed(head.bytes);
    }
}

/// By pipeline id.
pub(crate) type Totals = BTreeMap<Arc<str>, Total>;
