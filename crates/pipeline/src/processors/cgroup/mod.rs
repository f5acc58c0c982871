//! `cgroup`: names what the socket's cgroup is: its path, systemd unit, container and pod.

mod config;
mod hierarchy;
mod path;
mod shared;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use tokio::time::Instant;

pub use config::CgroupConfig;
use hierarchy::Hierarchy;
pub use shared::Hierarchies;

use super::merge::Merge;
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::record::Record;

/// The processor.
pub struct Cgroups {
    hierarchy: Arc<Hierarchy>,
    merge: Merge,
}

impl CgroupConfig {
    /// Starts the processor. All processors of one hierarchy share what is known of it.
    pub(super) fn start(&self, hierarchies: &Hierarchies) -> Cgroups {
        Cgroups { hierarchy: hierarchies.open(self), merge: Merge::default() }
    }
}

impl FlowProcessor for Cgroups {
    fn push(&mut self, records: Chunk<Record>, _now: Instant) -> Chunk<Record> {
        let known = self.hierarchy.known();
        let named = records.iter().map(|record| {
            let mut record = record.clone();
            let id = record.flow.and_then(|flow| flow.cgroup_id);
            if let Some(found) = id.and_then(|id| known.get(&id)) {
                record.local_attributes =
                    Some(self.merge.of(record.local_attributes.take(), &found.attributes));
            }
            record
        });
        named.collect()
    }
}
