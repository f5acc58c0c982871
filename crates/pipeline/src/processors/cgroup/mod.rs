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
pub(super) use config::{CONTAINER_ID, POD_UID};
use hierarchy::Hierarchy;
pub use shared::Hierarchies;

use super::merge::{Merge, Sides};
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
        self.merge.attach(records, |_, flow| {
            let found = flow.cgroup_id.and_then(|id| known.get(&id));
            Sides { local: found.map(|found| &found.attributes), peer: None }
        })
    }
}
