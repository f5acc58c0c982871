//! All tables, and the sums of everything.

use std::sync::Arc;

use otel_tcpretrans_pipeline::record::Record;
use strum::{EnumCount, IntoEnumIterator};

use super::key::{By, Key};
use super::row::{Row, second};
use super::table::Table;

/// All records that came, added up in each way.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// In the order of [`By`].
    tables: [Table; By::COUNT],
    /// All records.
    total: Row,
    /// The inode of the network namespace whose segments are counted apart.
    own_netns: Option<u32>,
    /// Segments of connections of that namespace.
    own_segments: u64,
    /// Segments of gaps that do not say their namespace.
    placeless_segments: u64,
    /// The second of the first record, since the Unix epoch.
    first: Option<u64>,
    /// The second of the latest record.
    newest: u64,
    /// Number of batches. A screen that has shown this number has nothing new to show.
    version: u64,
}

impl Model {
    /// An empty one, with at most `max_rows` rows in each table.
    pub(crate) fn new(max_rows: usize, own_netns: Option<u32>) -> Model {
        Model {
            tables: std::array::from_fn(|_| Table::new(max_rows)),
            total: Row::default(),
            own_netns,
            own_segments: 0,
            placeless_segments: 0,
            first: None,
            newest: 0,
            version: 0,
        }
    }

    /// Adds records.
    pub(crate) fn add<'r>(&mut self, records: impl Iterator<Item = &'r Record>) {
        for record in records {
            let second = second(record);
            self.first.get_or_insert(second);
            self.newest = self.newest.max(second);
            self.total.count(record);
            match record.flow {
                Some(flow) if flow.netns_inode.is_some() && flow.netns_inode == self.own_netns => {
                    self.own_segments += record.amounts.segments;
                }
                Some(_) => {}
                None => self.placeless_segments += record.amounts.segments,
            }
            let record = Arc::new(record.clone());
            for by in By::iter() {
                self.tables[by as usize].add(Key::of(&record, by), &record);
            }
        }
        self.version += 1;
    }

    /// The rows by one kind of key.
    pub(crate) fn table(&self, by: By) -> &Table {
        &self.tables[by as usize]
    }

    /// The sums of all records.
    pub(crate) fn total(&self) -> &Row {
        &self.total
    }

    /// Segments of connections of this process's own network namespace.
    pub(crate) fn own_segments(&self) -> u64 {
        self.own_segments
    }

    /// Segments of gaps, which do not say their network namespace.
    pub(crate) fn placeless_segments(&self) -> u64 {
        self.placeless_segments
    }

    /// The seconds of the first and of the latest record, since the Unix epoch.
    pub(crate) fn span(&self) -> Option<(u64, u64)> {
        self.first.map(|first| (first, self.newest))
    }

    /// A number that changes when records come.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }
}
