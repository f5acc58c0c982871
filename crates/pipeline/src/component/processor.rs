//! Processors of records.

use tokio::time::Instant;

use crate::record::Record;

/// Works on records: it changes them, removes some, or holds some back until it knows more about them.
///
/// It does no I/O. What takes time is done elsewhere, and its result is looked up here.
pub trait FlowProcessor: Send {
    /// Takes records that arrive at `now`, and returns those that go on, in their order. What it neither returns nor
    /// [holds](Self::held) was removed, and is counted as filtered.
    fn push(&mut self, records: Vec<Record>, now: Instant) -> Vec<Record>;

    /// How many records it holds.
    fn held(&self) -> usize {
        0
    }

    /// When it must be [flushed](Self::flush); `None` while it holds nothing.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Returns the held records that have waited long enough at `now`; all of them where `now` is `None`, because the
    /// pipeline ends.
    fn flush(&mut self, _now: Option<Instant>) -> Vec<Record> {
        Vec::new()
    }
}
