//! Rows by key, bounded: what exceeds the bound goes into one row of the others.

use std::collections::HashMap;
use std::sync::Arc;

use otel_tcpretrans_pipeline::record::Record;

use super::key::Key;
use super::row::Row;

/// So many rows in one hundred leave at once when a table is full. One alone would cost a look at all rows for each new key.
const LEAVING_PERCENT: usize = 10;

/// Rows by key. All records are in the sums of exactly one row, or in the others.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: HashMap<Key, Row>,
    /// The largest number of rows.
    most: usize,
    others: Row,
    /// Number of rows that went into the others.
    left: u64,
}

impl Table {
    /// An empty table. `most` is at least 1.
    pub(crate) fn new(most: usize) -> Table {
        Table { rows: HashMap::new(), most: most.max(1), others: Row::default(), left: 0 }
    }

    /// Adds a record to its row.
    pub(crate) fn add(&mut self, key: Key, record: &Arc<Record>) {
        if let Some(row) = self.rows.get_mut(&key) {
            return row.add(record);
        }
        if self.rows.len() >= self.most {
            self.evict();
        }
        self.rows.entry(key).or_default().add(record);
    }

    /// Moves the rows with the fewest segments into the others. Of equal ones, those whose latest record is the oldest go
    /// first.
    fn evict(&mut self) {
        let mut leaving = (self.rows.len() * LEAVING_PERCENT / 100).max(1);
        let weight = |row: &Row| (row.amounts.segments, row.latest);
        let mut weights: Vec<_> = self.rows.values().map(weight).collect();
        let (_, last, _) = weights.select_nth_unstable(leaving - 1);
        let last = *last;
        let leaves = |_: &Key, row: &mut Row| {
            let leaves = leaving > 0 && weight(row) <= last;
            leaving -= usize::from(leaves);
            leaves
        };
        for (_, row) in self.rows.extract_if(leaves) {
            self.others.absorb(&row);
            self.left += 1;
        }
    }

    /// The rows, in no order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.iter()
    }

    /// The row of a key.
    pub(crate) fn row(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The sums of the rows that left, and how many they are. A key that left and came again was counted twice.
    pub(crate) fn others(&self) -> Option<(&Row, u64)> {
        (self.left > 0).then_some((&self.others, self.left))
    }
}
