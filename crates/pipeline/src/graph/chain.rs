//! The chain of a pipeline's flow processors, each of which may hold records for a while.

use tokio::time::Instant;

use crate::books::Ledger;
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::record::Record;
use crate::taps::Tap;

/// A pipeline's flow processors, in their order.
pub(super) struct Chain {
    processors: Vec<Box<dyn FlowProcessor>>,
    /// The pipeline's ledger. It counts what the processors remove as filtered.
    ledger: Ledger,
    /// Shows the records that have passed.
    tap: Tap,
}

impl Chain {
    pub(super) fn new(processors: Vec<Box<dyn FlowProcessor>>, ledger: Ledger, tap: Tap) -> Self {
        Chain { processors, ledger, tap }
    }

    /// Takes records, and returns those that have passed all processors.
    pub(super) fn push(&mut self, records: Chunk<Record>, now: Instant) -> Chunk<Record> {
        let passed = self.push_from(0, records, now);
        self.tap.show(&passed);
        passed
    }

    /// When the next processor must be flushed; `None` while none holds records.
    pub(super) fn due(&self) -> Option<Instant> {
        self.processors.iter().filter_map(|processor| processor.due()).min()
    }

    /// Flushes the processors that are due, and returns the records that have then passed all processors.
    pub(super) fn flush_due(&mut self, now: Instant) -> Chunk<Record> {
        let is_due = |processor: &dyn FlowProcessor| processor.due().is_some_and(|due| due <= now);
        self.flush(is_due, Some(now), now)
    }

    /// Flushes all processors, because the pipeline ends.
    pub(super) fn flush_all(&mut self, now: Instant) -> Chunk<Record> {
        self.flush(|_| true, None, now)
    }

    fn flush(
        &mut self,
        is_due: impl Fn(&dyn FlowProcessor) -> bool,
        until: Option<Instant>,
        now: Instant,
    ) -> Chunk<Record> {
        let mut passed = Vec::new();
        for index in 0..self.processors.len() {
            let processor = &mut self.processors[index];
            if is_due(processor.as_ref()) {
                let held = processor.held();
                let records = processor.flush(until);
                self.ledger.filter(held.saturating_sub(processor.held() + records.len()) as u64);
                passed.extend_from_slice(&self.push_from(index + 1, records, now));
            }
        }
        let passed = passed.into();
        self.tap.show(&passed);
        passed
    }

    /// Takes records through the processors from index `first` on. Records that a processor neither returns nor holds
    /// are filtered.
    fn push_from(&mut self, first: usize, mut records: Chunk<Record>, now: Instant) -> Chunk<Record> {
        for processor in &mut self.processors[first..] {
            if records.is_empty() {
                break;
            }
            let before = records.len() + processor.held();
            records = processor.push(records, now);
            self.ledger.filter(before.saturating_sub(processor.held() + records.len()) as u64);
        }
        records
    }
}

#[cfg(test)]
mod tests;
