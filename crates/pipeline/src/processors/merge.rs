//! Bundles of several processors as one. Each pair is merged once, not for each record.

use std::collections::HashMap;
use std::sync::Arc;

use crate::record::Bundle;

/// So many merged bundles are kept. If there are more, all are forgotten, and made again when they are needed.
const MOST: usize = 4096;

/// The merged bundles by the addresses of both parts. An entry keeps its parts, so that their addresses stay theirs.
#[derive(Default)]
pub(super) struct Merge(HashMap<(usize, usize), Merged>);

struct Merged {
    _parts: (Arc<Bundle>, Arc<Bundle>),
    both: Arc<Bundle>,
}

impl Merge {
    /// What a record has, and behind it what was found. If both have a name, the value that the record has stays.
    pub(super) fn of(&mut self, has: Option<Arc<Bundle>>, found: &Arc<Bundle>) -> Arc<Bundle> {
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
