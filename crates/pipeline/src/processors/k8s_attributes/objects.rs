//! What the API says of pods, nodes, services and jobs: as much of it as is needed. Whoever watches the API makes these.
//!
//! All times are in ns since the Unix epoch. The API's own times have seconds only, and are those of the clocks of its server
//! and of the kubelets.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A pod as the API shows it at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its UID.
    pub uid: String,
    /// The other name that a static pod has in cgroups: the hash of its manifest (the annotation
    /// `kubernetes.io/config.hash`).
    pub manifest_hash: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The node that it is on.
    pub node: Option<String>,
    /// Whether it has the addresses of its node, and none of its own.
    pub host_network: bool,
    /// All of `status.podIPs`.
    pub addresses: Vec<IpAddr>,
    /// `metadata.creationTimestamp`.
    pub created: u64,
    /// `status.startTime`: when the kubelet took it. It gets its addresses later.
    pub started: Option<u64>,
    /// When the first of the containers that run now was started. It had its addresses by then.
    pub running_since: Option<u64>,
    /// When the last container ended, if none runs and none will be started again.
    pub finished: Option<u64>,
    /// When its deletion was asked for.
    pub deletion_asked: Option<u64>,
    /// Whether its phase is final (`Succeeded`, `Failed`).
    pub is_over: bool,
    /// What controls it.
    pub owner: Option<Owner>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its containers that were started: of all kinds (init, ephemeral).
    pub containers: Vec<Container>,
}

/// What controls an object: the one of its `ownerReferences` with `controller: true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its kind, such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The runtime's id, without the runtime's name before it.
    pub id: String,
    /// Its name in the pod.
    pub name: String,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its UID.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// All of its addresses.
    pub addresses: Vec<IpAddr>,
    /// `metadata.creationTimestamp`.
    pub created: u64,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its UID.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its cluster addresses, those of its load balancer, and `spec.externalIPs`.
    pub addresses: Vec<IpAddr>,
    /// Its TCP ports. Several services can share an address, each with ports of its own.
    pub ports: Vec<u16>,
    /// `metadata.creationTimestamp`.
    pub created: u64,
}

/// A Job, which is only known for its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its UID.
    pub uid: String,
    /// What controls it.
    pub owner: Option<Owner>,
}
