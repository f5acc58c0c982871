//! The host: what the process gives to its components.

use super::starter::Starter;
use crate::books::Books;
use crate::processors::cgroup::Hierarchies;
use crate::processors::k8s_attributes::Clusters;
use crate::pulses::Pulses;
use crate::recent::Recent;
use crate::reloads::Reloads;
use crate::running::Running;
use crate::taps::Taps;

/// What components share. It outlives every generation of the graph. Clones share it.
#[derive(Clone, Default)]
pub struct Host {
    /// The books, which account for every item.
    pub books: Books,
    /// How reloads of the configuration ended.
    pub reloads: Reloads,
    /// What runs now.
    pub running: Running,
    /// The records of each pipeline, for those who look at them while it runs.
    pub taps: Taps,
    /// The last warnings and errors of the log.
    pub recent: Recent,
    /// The cgroup hierarchies that processors watch.
    pub cgroups: Hierarchies,
    /// The Kubernetes clusters that processors watch.
    pub clusters: Clusters,
    /// Where receivers start that need privileges.
    pub starter: Starter,
    /// The parts that must not hang.
    pub pulses: Pulses,
}
