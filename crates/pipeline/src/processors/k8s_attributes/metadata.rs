//! The names that are found: of the Collector and of OpenTelemetry's semantic conventions, and two of our own.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// A name that is found. `k8s.workload.*` is this project's own: what has made the pod, of whatever kind it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumIter, Serialize, Deserialize,
)]
#[allow(missing_docs)] // the names say what they are
pub enum Metadata {
    #[strum(serialize = "k8s.namespace.name")]
    #[serde(rename = "k8s.namespace.name")]
    Namespace,
    #[strum(serialize = "k8s.pod.name")]
    #[serde(rename = "k8s.pod.name")]
    Pod,
    #[strum(serialize = "k8s.pod.uid")]
    #[serde(rename = "k8s.pod.uid")]
    PodUid,
    #[strum(serialize = "k8s.container.name")]
    #[serde(rename = "k8s.container.name")]
    Container,
    #[strum(serialize = "k8s.node.name")]
    #[serde(rename = "k8s.node.name")]
    Node,
    /// Only of a peer.
    #[strum(serialize = "k8s.service.name")]
    #[serde(rename = "k8s.service.name")]
    Service,
    #[strum(serialize = "k8s.workload.kind")]
    #[serde(rename = "k8s.workload.kind")]
    WorkloadKind,
    #[strum(serialize = "k8s.workload.name")]
    #[serde(rename = "k8s.workload.name")]
    WorkloadName,
    #[strum(serialize = "k8s.deployment.name")]
    #[serde(rename = "k8s.deployment.name")]
    Deployment,
    #[strum(serialize = "k8s.replicaset.name")]
    #[serde(rename = "k8s.replicaset.name")]
    ReplicaSet,
    #[strum(serialize = "k8s.statefulset.name")]
    #[serde(rename = "k8s.statefulset.name")]
    StatefulSet,
    #[strum(serialize = "k8s.daemonset.name")]
    #[serde(rename = "k8s.daemonset.name")]
    DaemonSet,
    #[strum(serialize = "k8s.cronjob.name")]
    #[serde(rename = "k8s.cronjob.name")]
    CronJob,
    #[strum(serialize = "k8s.job.name")]
    #[serde(rename = "k8s.job.name")]
    Job,
}

impl Metadata {
    /// Those that are found if the configuration names none.
    pub const DEFAULT: [Metadata; 11] = [
        Metadata::Namespace,
        Metadata::Pod,
        Metadata::Container,
        Metadata::Node,
        Metadata::Service,
        Metadata::WorkloadKind,
        Metadata::WorkloadName,
        Metadata::Deployment,
        Metadata::StatefulSet,
        Metadata::DaemonSet,
        Metadata::Job,
    ];

    /// The name of the local side's attribute; `None` if only a peer has it.
    pub(super) fn local(self) -> Option<&'static str> {
        (self != Metadata::Service).then(|| self.into())
    }

    /// The name of the peer side's attribute behind its prefix; `None` if a peer never has it. An address does not tell
    /// the container.
    pub(super) fn peer(self) -> Option<&'static str> {
        let name: &str = self.into();
        (self != Metadata::Container).then(|| name.trim_start_matches("k8s."))
    }

    /// What it says, for the reference.
    pub(super) fn text(self) -> &'static str {
        match self {
            Metadata::Namespace => "The namespace.",
            Metadata::Pod => "The pod.",
            Metadata::PodUid => "The UID of the pod.",
            Metadata::Container => "The container in the pod.",
            Metadata::Node => "The node.",
            Metadata::Service => "The service that has the address.",
            Metadata::WorkloadKind => {
                "The kind of what has made the pod, in the end: `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, … A pod that nothing has made, a node and a service are their own."
            }
            Metadata::WorkloadName => "Its name.",
            Metadata::Deployment => "The Deployment.",
            Metadata::ReplicaSet => "The ReplicaSet.",
            Metadata::StatefulSet => "The StatefulSet.",
            Metadata::DaemonSet => "The DaemonSet.",
            Metadata::CronJob => "The CronJob.",
            Metadata::Job => "The Job.",
        }
    }

    /// The kind of owner that has this name.
    pub(super) fn owner(self) -> Option<&'static str> {
        Some(match self {
            Metadata::Deployment => "Deployment",
            Metadata::ReplicaSet => "ReplicaSet",
            Metadata::StatefulSet => "StatefulSet",
            Metadata::DaemonSet => "DaemonSet",
            Metadata::CronJob => "CronJob",
            Metadata::Job => "Job",
            _ => return None,
        })
    }
}
