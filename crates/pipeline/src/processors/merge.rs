//! Gives records what a processor found for them. Bundles of several processors become one: each pair is merged once, not
//! for each record.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chunk::Chunk;
use crate::record::{Bundle, Flow, Record};

/// So many merged bundles are kept. If there are more, all are forgotten, and made again when they are needed.
const MOST: usize = 4096;

/// The merged bundles by the addresses of both parts. An entry keeps its parts, so that their addresses stay theirs.
#[derive(Default)]
pub(super) struct Merge(HashMap<(usize, usize), Merged>);

struct Merged {
    _parts: (Arc<Bundle>, Arc<Bundle>),
    both: Arc<Bundle>,
}

/// What was found for the sides of a flow.
#[derive(Default)]
pub(super) struct Sides<'f> {
    pub(super) local: Option<&'f Arc<Bundle>>,
    pub(super) peer: Option<&'f Arc<Bundle>>,
}

impl Merge {
    /// The records with what `find` finds for their flows. If it finds nothing, the chunk is not copied.
    pub(super) fn attach<'f>(
        &mut self,
        records: Chunk<Record>,
        find: impl Fn(&Record, &Flow) -> Sides<'f>,
    ) -> Chunk<Record> {
        let of = |record: &Record| record.flow.as_ref().map(|flow| find(record, flow));
        let found = records.iter().map(|record| of(record).unwrap_or_default());
        let found: Vec<Sides<'f>> = found.collect();
        if found.iter().all(|Sides { local, peer }| local.is_none() && peer.is_none()) {
            return records;
        }
        let named = records.iter().zip(found).map(|(record, Sides { local, peer })| {
            let mut record = record.clone();
            if let Some(local) = local {
                record.local_attributes = Some(self.of(record.local_attributes.take(), local));
            }
            if let Some(peer) = peer {
                record.peer_attributes = Some(self.of(record.peer_attributes.take(), peer));
            }
            record
        });
        named.collect()
    }

    /// What a record has, and behind it what was found. If both have a name, the value that the record has stays.
    fn of(&mut self, has: Option<Arc<Bundle>>, found: &Arc<Bundle>) -> Arc<Bundle> {
        let Some(has) = has else { return Arc::clone(found) };
        let address = |bundle: &Arc<Bundle>| Arc::as_ptr(bundle) as usize;
        let key = (address(&has), address(found));
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        let merged = self.0.entry(key).or_insert_with(|| {
            let both = Arc::new(has.with(found));
            Merged { _parts: (has, Arc::clone(found)), both }
        });
        Arc::clone(&merged.both)
    }
}
