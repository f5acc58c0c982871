//! What is named, and what is not.

#![allow(clippy::unwrap_used)]

mod churn;
mod configured;
mod cost;
mod model;
mod named;
mod shared;

use std::net::IpAddr;

use super::config::K8sAttributesConfig;
use super::names::Names;
use super::objects::{Container, Owner, Pod};
use super::store::Store;

const SECOND: u64 = 1_000_000_000;
/// When these tests begin, in ns since the Unix epoch.
const START: u64 = 1_700_000_000 * SECOND;

fn config(yaml: &str) -> K8sAttributesConfig {
    serde_yaml::from_str(yaml).unwrap()
}

fn store(yaml: &str) -> Store {
    let config = config(yaml);
    let node = config.node(&|_| None);
    Store::new(Names::new(&config), node)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A pod of a Deployment that was created at a time and runs with an address since then.
fn pod(name: &str, address: &str, created: u64) -> Pod {
    let owner = Owner { kind: "ReplicaSet".to_owned(), name: "web-5d89f".to_owned(), uid: "rs".to_owned() };
    Pod {
        uid: format!("uid-{name}"),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        node: Some("node-1".to_owned()),
        addresses: vec![ip(address)],
        created: floor(created),
        started: Some(floor(created)),
        running_since: Some(floor(created)),
        owner: Some(owner),
        labels: [("pod-template-hash".to_owned(), "5d89f".to_owned()), ("app".to_owned(), "web".to_owned())]
            .into(),
        containers: vec![container(&format!("id-{name}"), "main")],
        ..Pod::default()
    }
}

fn container(id: &str, name: &str) -> Container {
    Container { id: id.to_owned(), name: name.to_owned() }
}

/// A time as the API writes it: in seconds.
fn floor(time: u64) -> u64 {
    time / SECOND * SECOND
}

/// The name of the pod that the peer is at a time.
fn peer(store: &Store, address: &str, time: u64) -> Option<String> {
    attribute(store, address, time, "k8s.peer.pod.name")
}

fn attribute(store: &Store, address: &str, time: u64, name: &str) -> Option<String> {
    Some(store.peer(ip(address), 443, time)?.get(name)?.to_string())
}

/// The value of a local attribute.
fn local(store: &Store, uid: &str, container: &str, name: &str) -> Option<String> {
    let bundle = store.local(Some(uid), Some(container), ip("127.0.0.1"), START)?;
    Some(bundle.get(name)?.to_string())
}
