//! The trait of processors that work on records.

use tokio::time::Instant;

use crate::chunk::Chunk;
use crate::record::Record;

/// Works on records: it changes them, removes some, or holds some back until it knows more about them.
///
/// It does no I/O. Work that takes time is done elsewhere, and the processor looks up its result.
pub trait FlowProcessor: Send {
    /// Takes records that arrive at `now`, and returns those that go on, in their order. Records that it neither
    /// returns nor [holds](Self::held) are removed, and counted as filtered.
    ///
    /// Other pipelines may share the chunk. So a processor that changes records makes a chunk of its own.
    fn push(&mut self, records: Chunk<Record>, now: Instant) -> Chunk<Record>;

    /// Number of records that it holds.
    fn held(&self) -> usize {
        0
    }

    /// When it must be [flushed](Self::flush); `None` while it holds nothing.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Returns the held records that have waited long enough at `now`. If `now` is `None`, the pipeline ends, and this
    /// returns all of them.
    fn flush(&mut self, _now: Option<Instant>) -> Chunk<Record> {
        Chunk::default()
    }
}
