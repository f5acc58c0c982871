//! What is read of the API's objects, and how it is told. The API's own types would decode ten times as much.

use std::net::IpAddr;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::core::Object;
use otel_tcpretrans_pipeline::processors::k8s_attributes::objects::{
    Container, Job, Node, Owner, Pod, Service,
};
use serde::Deserialize;

/// The annotation in which the kubelet puts the hash of a static pod's manifest.
const MANIFEST_HASH: &str = "kubernetes.io/config.hash";

pub(crate) type PodObject = Object<PodSpec, PodStatus>;
pub(crate) type NodeObject = Object<NodeSpec, NodeStatus>;
pub(crate) type ServiceObject = Object<ServiceSpec, ServiceStatus>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodSpec {
    node_name: Option<String>,
    host_network: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodStatus {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pod_ips: Option<Vec<PodIp>>,
    start_time: Option<Time>,
    container_statuses: Option<Vec<ContainerStatus>>,
    init_container_statuses: Option<Vec<ContainerStatus>>,
    ephemeral_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PodIp {
    ip: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerStatus {
    name: String,
    #[serde(rename = "containerID")]
    container_id: Option<String>,
    state: Option<ContainerState>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Running {
    started_at: Option<Time>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    finished_at: Option<Time>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeSpec {}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeStatus {
    addresses: Option<Vec<NodeAddress>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NodeAddress {
    address: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ServiceSpec {
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<Vec<String>>,
    #[serde(rename = "externalIPs")]
    external_ips: Option<Vec<String>>,
    ports: Option<Vec<ServicePort>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ServicePort {
    port: u16,
    protocol: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ServiceStatus {
    load_balancer: Option<LoadBalancer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Option<Vec<PodIp>>,
}

/// The UID of an object; empty if it has none, which the API does not do.
pub(crate) fn uid(metadata: &ObjectMeta) -> &str {
    metadata.uid.as_deref().unwrap_or_default()
}

pub(crate) fn pod(PodObject { metadata, spec, status, .. }: PodObject) -> Pod {
    let status = status.unwrap_or_default();
    let containers = status.container_statuses.unwrap_or_default();
    let others = [status.init_container_statuses, status.ephemeral_container_statuses];
    let others: Vec<ContainerStatus> = others.into_iter().flatten().flatten().collect();
    let deletion_asked = metadata.deletion_timestamp.as_ref().map(|at| {
        let grace = u64::try_from(metadata.deletion_grace_period_seconds.unwrap_or(0)).unwrap_or(0);
        nanoseconds(at).saturating_sub(grace.saturating_mul(1_000_000_000))
    });
    let ips = status.pod_ips.into_iter().flatten().filter_map(|ip| ip.ip).chain(status.pod_ip);
    Pod {
        uid: uid(&metadata).to_owned(),
        manifest_hash: metadata.annotations.as_ref().and_then(|all| all.get(MANIFEST_HASH).cloned()),
        namespace: metadata.namespace.unwrap_or_default(),
        name: metadata.name.unwrap_or_default(),
        node: spec.node_name.filter(|node| !node.is_empty()),
        host_network: spec.host_network.unwrap_or(false),
        addresses: addresses(ips),
        created: metadata.creation_timestamp.as_ref().map_or(0, nanoseconds),
        started: status.start_time.as_ref().map(nanoseconds),
        running_since: containers.iter().chain(&others).filter_map(running_since).min(),
        finished: finished(&containers),
        deletion_asked,
        is_over: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
        owner: owner(metadata.owner_references),
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
        containers: containers.into_iter().chain(others).filter_map(container).collect(),
    }
}

pub(crate) fn node(NodeObject { metadata, status, .. }: NodeObject) -> Node {
    let listed = status.unwrap_or_default().addresses.unwrap_or_default();
    Node {
        uid: uid(&metadata).to_owned(),
        name: metadata.name.unwrap_or_default(),
        // Host names are among them, which are no addresses.
        addresses: addresses(listed.into_iter().map(|listed| listed.address)),
        created: metadata.creation_timestamp.as_ref().map_or(0, nanoseconds),
    }
}

pub(crate) fn service(ServiceObject { metadata, spec, status, .. }: ServiceObject) -> Service {
    let ingress = status.and_then(|status| status.load_balancer?.ingress).unwrap_or_default();
    let of_cluster = spec.cluster_ips.unwrap_or_default().into_iter().chain(spec.cluster_ip);
    let external = spec.external_ips.unwrap_or_default().into_iter();
    let is_tcp = |port: &ServicePort| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
    Service {
        uid: uid(&metadata).to_owned(),
        namespace: metadata.namespace.unwrap_or_default(),
        name: metadata.name.unwrap_or_default(),
        // A headless one has the word `None`.
        addresses: addresses(of_cluster.chain(external).chain(ingress.into_iter().filter_map(|ip| ip.ip))),
        ports: spec
            .ports
            .unwrap_or_default()
            .iter()
            .filter(|port| is_tcp(port))
            .map(|port| port.port)
            .collect(),
        created: metadata.creation_timestamp.as_ref().map_or(0, nanoseconds),
    }
}

pub(crate) fn job(metadata: ObjectMeta) -> Job {
    Job { uid: uid(&metadata).to_owned(), owner: owner(metadata.owner_references) }
}

type References = Option<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference>>;

fn owner(references: References) -> Option<Owner> {
    let controller = references?.into_iter().find(|reference| reference.controller == Some(true))?;
    Some(Owner { kind: controller.kind, name: controller.name, uid: controller.uid })
}

/// Texts that are addresses, each once. An IPv4-mapped one is IPv4, as in records.
fn addresses(texts: impl Iterator<Item = String>) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in texts.filter_map(|text| text.parse::<IpAddr>().ok()) {
        let address = address.to_canonical();
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// `containerd://ID`, without what is before the id. A container that was not started has none.
fn container(ContainerStatus { name, container_id, .. }: ContainerStatus) -> Option<Container> {
    let id = container_id?;
    let id = id.split_once("://").map_or(id.as_str(), |(_, id)| id);
    (!id.is_empty()).then(|| Container { id: id.to_owned(), name })
}

fn running_since(container: &ContainerStatus) -> Option<u64> {
    container.state.as_ref()?.running.as_ref()?.started_at.as_ref().map(nanoseconds)
}

/// When the last of the containers ended, if all have ended.
fn finished(containers: &[ContainerStatus]) -> Option<u64> {
    let ends = containers.iter().map(|container| {
        container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(nanoseconds)
    });
    ends.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// In ns since the Unix epoch.
fn nanoseconds(time: &Time) -> u64 {
    u64::try_from(time.0.as_nanosecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
