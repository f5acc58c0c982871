//! One row: the sums of its records, its last minute, and its last records.

use std::collections::VecDeque;
use std::sync::Arc;

use otel_tcpretrans_pipeline::record::{Amounts, Record, TcpSample};

use super::history::History;

/// Number of records that a row keeps.
pub(crate) const KEPT: usize = 16;

/// The sums of some records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) amounts: Amounts,
    pub(crate) history: History,
    /// The time of its latest record, in ns since the Unix epoch.
    pub(crate) latest: u64,
    /// The latest records, the newest last. Rows share them.
    pub(crate) records: VecDeque<Arc<Record>>,
}

impl Row {
    /// Adds a record.
    pub(crate) fn add(&mut self, record: &Arc<Record>) {
        self.count(record);
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(Arc::clone(record));
    }

    /// Adds a record to the sums, and does not keep it.
    pub(crate) fn count(&mut self, record: &Record) {
        self.amounts += record.amounts;
        self.history.add(second(record), record.amounts.segments);
        self.latest = self.latest.max(record.time_unix_nano);
    }

    /// Adds the sums of another row. Its last records are left out.
    pub(crate) fn absorb(&mut self, other: &Row) {
        self.amounts += other.amounts;
        self.history.add_all(&other.history);
        self.latest = self.latest.max(other.latest);
    }

    /// The latest sample of the socket's TCP values.
    pub(crate) fn sample(&self) -> Option<TcpSample> {
        self.records.iter().rev().find_map(|record| record.tcp)
    }
}

/// The second of a record, since the Unix epoch.
pub(crate) fn second(record: &Record) -> u64 {
    record.time_unix_nano / 1_000_000_000
}
