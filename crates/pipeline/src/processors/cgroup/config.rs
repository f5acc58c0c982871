//! The configuration of `cgroup`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::attribute::{Described, Kind};
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
/// All of them, and what they say.
const FOUND: [(&str, &str); 8] = [
    (PATH, "The path of the socket's cgroup below the root of the hierarchy."),
    (UNIT, "The innermost systemd unit that is no container's: a service or a scope."),
    (SLICE, "The systemd slice around it."),
    (CONTAINER_ID, "The id of the innermost container."),
    (CONTAINER_NAME, "The name of a container of LXC or systemd-nspawn, whose cgroup has no id."),
    (RUNTIME, "The runtime of the container, such as `containerd`."),
    (POD_UID, "The UID of the Kubernetes pod."),
    (POD_QOS, "The pod's quality of service: `guaranteed`, `burstable` or `besteffort`."),
];

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
        FOUND.map(|(name, _)| name.to_owned()).into()
    }

    /// The attributes that it finds, for the reference.
    pub fn described() -> Vec<Described> {
        let described =
            |(name, text): (&str, _)| Described { name: name.to_owned(), kind: Kind::String, text };
        FOUND.map(described).into()
    }
}
