//! A running exporter, and the ledgers of what pipelines send to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::books::{Books, DropReason, Ledger, LedgerKey};
use crate::component::Exporter;

/// An exporter and its ledgers.
pub(super) struct RunningExporter {
    pub(super) exporter: Arc<dyn Exporter>,
    /// By pipeline id. A successor under the same key has ledgers of its own. So what this one leaves can be written off,
    /// and what its successor has in flight stays.
    ledgers: BTreeMap<String, Ledger>,
}

impl RunningExporter {
    pub(super) fn new(exporter: Arc<dyn Exporter>) -> Self {
        RunningExporter { exporter, ledgers: BTreeMap::new() }
    }

    /// The ledger of what a pipeline sends to it.
    pub(super) fn ledger(&mut self, key: LedgerKey, books: &Books) -> Ledger {
        self.ledgers.entry(key.pipeline.clone()).or_insert_with(|| books.open(key)).clone()
    }

    /// Drops what it left in flight, which only a bug or the deadline does. Only once it is shut down.
    pub(super) fn write_off(&self, reason: DropReason) {
        self.ledgers.values().for_each(|ledger| ledger.write_off(reason));
    }
}
