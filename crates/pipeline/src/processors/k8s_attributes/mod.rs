//! `k8s_attributes`: names the Kubernetes pods of both sides, their workloads, and the nodes and services of the peer side.

mod addresses;
mod cluster;
mod config;
mod delay;
mod entry;
mod facts;
mod jobs;
mod known;
mod metadata;
mod names;
pub mod objects;
mod refused;
mod shared;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::error;

pub use cluster::Cluster;
pub use config::{AuthType, K8sAttributesConfig, Op, Peers, Selector};
use delay::Delay;
use names::Names;
pub use shared::{Clusters, Watches};
pub use status::{Reason, Resource};

use super::cgroup::{CONTAINER_ID, POD_UID};
use super::merge::{Merge, Sides};
use crate::chunk::Chunk;
use crate::clock::unix_nano;
use crate::component::FlowProcessor;
use crate::record::Record;

/// The processor.
pub struct K8sAttributes {
    cluster: Arc<Cluster>,
    with_peers: bool,
    delay: Delay,
    merge: Merge,
}

impl K8sAttributesConfig {
    /// The names of the attributes that it finds.
    pub(crate) fn finds(&self) -> Vec<String> {
        Names::new(self).all()
    }

    /// Prepares the start: begins the watches, and waits for the first lists if the configuration says so. Keep what it
    /// returns until the processor is started.
    ///
    /// # Errors
    /// The watches can't start, or the lists are not complete in time.
    pub async fn ready(&self, clusters: &Clusters) -> Result<Arc<Cluster>, String> {
        clusters.ready(self).await
    }

    /// Starts the processor. All processors of one configuration share what is known.
    pub fn start(&self, clusters: &Clusters) -> K8sAttributes {
        let cluster = clusters.open(self).unwrap_or_else(|reason| {
            // The start was prepared, so this does not happen.
            error!(reason, "k8s_attributes: nothing is watched");
            Cluster::new(self, &Arc::default())
        });
        let with_peers = self.peers != Peers::Off;
        // Only an address can be another one's. A UID can't.
        let delay = if with_peers { *self.delay } else { Duration::ZERO };
        K8sAttributes { cluster, with_peers, delay: Delay::new(delay), merge: Merge::default() }
    }
}

impl K8sAttributes {
    /// The records that have waited long enough, named.
    fn named(&mut self, now: Option<Instant>) -> Chunk<Record> {
        let Some(first) = self.delay.next(now) else { return Chunk::default() };
        let first = self.name(first);
        let Some(second) = self.delay.next(now) else { return first };
        let mut all = first.to_vec();
        let mut next = Some(second);
        while let Some(records) = next {
            all.extend_from_slice(&self.name(records));
            next = self.delay.next(now);
        }
        all.into()
    }

    fn name(&mut self, records: Chunk<Record>) -> Chunk<Record> {
        let known = self.cluster.known();
        self.merge.attach(records, |record, flow| {
            let of_cgroup = record.local_attributes.as_deref();
            let text = |name| of_cgroup.and_then(|bundle| bundle.get(name)?.as_str());
            let time = record.time_unix_nano;
            let (local, peer) = (flow.local.ip(), flow.peer);
            Sides {
                local: known.local(text(POD_UID), text(CONTAINER_ID), local, time),
                peer: if self.with_peers { known.peer(peer.ip(), peer.port(), time) } else { None },
            }
        })
    }
}

impl FlowProcessor for K8sAttributes {
    fn push(&mut self, records: Chunk<Record>, now: Instant) -> Chunk<Record> {
        self.delay.push(records, now, unix_nano());
        self.named(Some(now))
    }

    fn held(&self) -> usize {
        self.delay.len()
    }

    fn due(&self) -> Option<Instant> {
        self.delay.due()
    }

    fn flush(&mut self, now: Option<Instant>) -> Chunk<Record> {
        self.named(now)
    }
}
