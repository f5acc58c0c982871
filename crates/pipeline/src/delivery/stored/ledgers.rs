//! The ledgers of stored requests. A row names its pipeline, so that the next process can account for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::books::{Books, Ledger, LedgerKey, Signal};

/// The ledgers by pipeline.
pub(super) struct Ledgers {
    exporter: String,
    signal: Signal,
    books: Books,
    /// Of what was in the store when it was opened.
    restored: BTreeMap<Arc<str>, Ledger>,
    /// The largest id of those rows.
    pub(super) last_restored: i64,
    /// Of what came since then, in the ledgers with which it came.
    new: BTreeMap<Arc<str>, Ledger>,
}

impl Ledgers {
    pub(super) fn new(exporter: &str, signal: Signal, books: &Books) -> Self {
        Ledgers {
            exporter: exporter.to_owned(),
            signal,
            books: books.clone(),
            restored: BTreeMap::new(),
            last_restored: 0,
            new: BTreeMap::new(),
        }
    }

    /// The name under which a pipeline's requests are stored.
    pub(super) fn remember(&mut self, ledger: &Ledger) -> Arc<str> {
        let pipeline = ledger.key().pipeline.as_str();
        if let Some((name, _)) = self.new.get_key_value(pipeline) {
            return Arc::clone(name);
        }
        let name: Arc<str> = Arc::from(pipeline);
        self.new.insert(Arc::clone(&name), ledger.clone());
        name
    }

    /// The ledger of a row.
    pub(super) fn of(&mut self, pipeline: &Arc<str>, id: i64) -> Ledger {
        match self.new.get(pipeline) {
            Some(ledger) if id > self.last_restored => ledger.clone(),
            _ => self.of_restored(pipeline),
        }
    }

    /// The ledger of what was in the store when it was opened.
    pub(super) fn of_restored(&mut self, pipeline: &Arc<str>) -> Ledger {
        let (books, signal, exporter) = (&self.books, self.signal, &self.exporter);
        let open = || {
            let pipeline = pipeline.to_string();
            books.open(LedgerKey { pipeline, signal, exporter: Some(exporter.clone()) })
        };
        self.restored.entry(Arc::clone(pipeline)).or_insert_with(open).clone()
    }

    /// All of them, with the pipeline and whether they are of restored rows.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, bool, &Ledger)> {
        let restored = self.restored.iter().map(|(pipeline, ledger)| (pipeline, true, ledger));
        restored.chain(self.new.iter().map(|(pipeline, ledger)| (pipeline, false, ledger)))
    }
}
