//! A store that turns out to be damaged while it is used.

use std::collections::{BTreeMap, BTreeSet};

use super::Writer;
use crate::storage::{Opened, StoreError, set_aside};

impl Writer {
    /// Sets the damaged file aside, goes on with a new one that has what can be read, and counts what is lost.
    pub(super) fn replace(&mut self, why: String) -> Result<(), StoreError> {
        drop(self.store.take());
        let opened = match set_aside(&self.place.file, &self.place.config, why) {
            Ok(opened) => opened,
            Err(error) => {
                // Nothing is on disk any more.
                self.shared.lock().recount(&BTreeMap::new(), &BTreeSet::new());
                return Err(StoreError::Failed(error.to_string()));
            }
        };
        let Opened { store, totals, damage } = opened;
        if let Some(damage) = &damage {
            self.shared.log.damaged(&self.place.file, damage, &totals);
        }
        let mut state = self.shared.lock();
        let found = store.sums_after(state.cursor, state.ledgers.last_restored)?;
        let mut on_disk = BTreeSet::new();
        for id in state.ids() {
            if store.has(id)? {
                on_disk.insert(id);
            }
        }
        state.recount(&found, &on_disk);
        drop(state);
        self.store = Some(store);
        Ok(())
    }
}
