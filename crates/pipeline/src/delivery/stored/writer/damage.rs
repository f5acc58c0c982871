//! A store that turns out to be damaged while it is used.

use std::collections::BTreeMap;

use super::Writer;
use crate::books::DropReason;
use crate::storage::{Opened, StoreError, set_aside};

impl Writer {
    /// Sets the damaged file aside, goes on with a new one that has what can be read, and counts what is lost.
    pub(super) fn replace(&mut self, why: String) -> Result<(), StoreError> {
        drop(self.store.take());
        let opened = match set_aside(&self.place.file, &self.place.config, why) {
            Ok(opened) => opened,
            Err(error) => {
                self.forget();
                return Err(StoreError::Failed(error.to_string()));
            }
        };
        let Opened { store, totals, damage } = opened;
        if let Some(damage) = &damage {
            self.shared.log.damaged(&self.place.file, damage, &totals);
        }
        let mut state = self.shared.lock();
        let (cursor, last_restored) = (state.cursor, state.ledgers.last_restored);
        let found = store.sums_after(cursor, last_restored)?;
        // Requests that wait in memory are not lost. They are written again, if need be.
        let (mut in_memory, mut bytes) = (BTreeMap::new(), state.leased_bytes());
        for entry in state.waiting_mut() {
            entry.on_disk = store.has(entry.row.id)?;
            let is_restored = entry.row.id <= last_restored;
            let key = (entry.ledger.key().pipeline.clone(), is_restored);
            *in_memory.entry(key).or_insert(0) += entry.row.request.items;
            bytes += entry.row.request.bytes();
        }
        state.behind = found.values().map(|total| total.requests.cast_unsigned()).sum();
        state.bytes = bytes + found.values().map(|total| total.bytes.cast_unsigned()).sum::<u64>();
        for (pipeline, is_restored, ledger) in state.ledgers.all() {
            let key = (pipeline.to_string(), is_restored);
            let on_disk = found.get(&key).map_or(0, |total| total.items.cast_unsigned());
            let kept = on_disk + in_memory.get(&key).copied().unwrap_or(0);
            let lost = ledger.counts().queued.saturating_sub(kept);
            ledger.dequeue(lost);
            ledger.drop_items(lost, DropReason::Storage);
        }
        drop(state);
        self.store = Some(store);
        Ok(())
    }

    /// Counts what is on disk only as lost. What is in memory stays there.
    fn forget(&mut self) {
        let mut state = self.shared.lock();
        let mut in_memory = BTreeMap::new();
        let mut bytes = state.leased_bytes();
        let last_restored = state.ledgers.last_restored;
        for entry in state.waiting_mut() {
            entry.on_disk = false;
            let key = (entry.ledger.key().pipeline.clone(), entry.row.id <= last_restored);
            *in_memory.entry(key).or_insert(0) += entry.row.request.items;
            bytes += entry.row.request.bytes();
        }
        (state.behind, state.bytes) = (0, bytes);
        for (pipeline, is_restored, ledger) in state.ledgers.all() {
            let kept = in_memory.get(&(pipeline.to_string(), is_restored)).copied().unwrap_or(0);
            let lost = ledger.counts().queued.saturating_sub(kept);
            ledger.dequeue(lost);
            ledger.drop_items(lost, DropReason::Storage);
        }
    }
}
