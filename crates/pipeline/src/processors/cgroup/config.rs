//! The configuration of `cgroup`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Interval, Problem, fit};

/// The names of the attributes that it finds.
pub(super) const PATH: &str = "linux.cgroup.path";
pub(super) const UNIT: &str = "systemd.unit.name";
pub(super) const SLICE: &str = "systemd.slice.name";
pub(in crate::processors) const CONTAINER_ID: &str = "container.id";
pub(super) const CONTAINER_NAME: &str = "container.name";
pub(super) const RUNTIME: &str = "container.runtime.name";
pub(in crate::processors) const POD_UID: &str = "k8s.pod.uid";
pub(super) const POD_QOS: &str = "k8s.pod.qos_class";
const NAMES: [&str; 8] = [PATH, UNIT, SLICE, CONTAINER_ID, CONTAINER_NAME, RUNTIME, POD_UID, POD_QOS];

/// `cgroup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CgroupConfig {
    /// Where the host's cgroup v2 hierarchy is mounted. Default: where this process has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// How long a cgroup that was removed is still known.
    pub linger: Interval,
}

impl Default for CgroupConfig {
    fn default() -> Self {
        CgroupConfig { root: None, linger: Interval::from_secs(60) }
    }
}

impl CgroupConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        fit(*self.linger).err().map(|message| Problem::at("linger", message)).into_iter().collect()
    }

    /// The names of the attributes that it finds.
    pub(crate) fn finds(&self) -> Vec<String> {
        NAMES.map(str::to_owned).into()
    }
}
