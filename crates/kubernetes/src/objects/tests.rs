//! What is read of objects as the API sends them.

use serde_json::{Value, from_value, json};

use super::*;

const SECOND: u64 = 1_000_000_000;
/// 2024-01-02T03:04:05Z in ns since the Unix epoch.
const THEN: u64 = 1_704_164_645 * SECOND;

fn read(value: Value) -> Pod {
    pod(from_value(value).expect("a pod"))
}

#[test]
fn a_pod_is_read() {
    let pod = read(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-1", "namespace": "shop", "uid": "u1", "creationTimestamp": "2024-01-02T03:04:05Z",
            "labels": { "app": "web" }, "annotations": { "kubernetes.io/config.hash": "h" },
            "managedFields": [{ "manager": "kubelet", "fieldsV1": { "f:status": {} } }],
            "ownerReferences": [
                { "apiVersion": "v1", "kind": "Other", "name": "o", "uid": "x" },
                { "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d89f", "uid": "r", "controller": true }
            ]
        },
        "spec": { "nodeName": "n1", "containers": [{ "name": "main", "image": "x" }] },
        "status": {
            "phase": "Running", "startTime": "2024-01-02T03:04:06Z", "hostIP": "192.0.2.1",
            "podIP": "10.1.0.7", "podIPs": [{ "ip": "10.1.0.7" }, { "ip": "2001:db8::7" }],
            "containerStatuses": [
                { "name": "main", "containerID": "containerd://aa", "state": { "running": { "startedAt": "2024-01-02T03:04:09Z" } } },
                { "name": "slow", "state": { "waiting": { "reason": "ContainerCreating" } } }
            ],
            "initContainerStatuses": [
                { "name": "proxy", "containerID": "cri-o://bb", "state": { "running": { "startedAt": "2024-01-02T03:04:08Z" } } },
                { "name": "init", "containerID": "docker://cc", "state": { "terminated": { "finishedAt": "2024-01-02T03:04:07Z" } } }
            ],
            "ephemeralContainerStatuses": [{ "name": "debug", "containerID": "containerd://dd" }]
        }
    }));
    assert_eq!((pod.uid.as_str(), pod.namespace.as_str(), pod.name.as_str()), ("u1", "shop", "web-1"));
    assert_eq!(pod.node.as_deref(), Some("n1"));
    assert_eq!(pod.manifest_hash.as_deref(), Some("h"));
    assert_eq!(
        pod.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.1.0.7", "2001:db8::7"]
    );
    assert_eq!(
        (pod.created, pod.started, pod.running_since),
        (THEN, Some(THEN + SECOND), Some(THEN + 3 * SECOND))
    );
    assert_eq!((pod.finished, pod.deletion_asked, pod.is_over, pod.host_network), (None, None, false, false));
    assert_eq!(
        pod.owner.map(|owner| (owner.kind, owner.name)),
        Some(("ReplicaSet".into(), "web-5d89f".into()))
    );
    let containers: Vec<_> =
        pod.containers.iter().map(|found| (found.id.as_str(), found.name.as_str())).collect();
    assert_eq!(containers, [("aa", "main"), ("bb", "proxy"), ("cc", "init"), ("dd", "debug")]);
}

#[test]
fn the_end_of_a_pod_is_read() {
    let with = |second: &str| {
        let ended = |at: &str| json!({ "terminated": { "finishedAt": at } });
        read(json!({
            "metadata": { "name": "a", "uid": "u", "deletionTimestamp": "2024-01-02T03:04:35Z", "deletionGracePeriodSeconds": 30 },
            "spec": { "hostNetwork": true },
            "status": { "phase": "Failed", "containerStatuses": [
                { "name": "a", "state": ended("2024-01-02T03:04:15Z") },
                { "name": "b", "state": if second.is_empty() { json!({ "running": {} }) } else { ended(second) } }
            ] }
        }))
    };
    let over = with("2024-01-02T03:04:25Z");
    assert_eq!(over.deletion_asked, Some(THEN), "the time of the deletion is that of its end");
    assert_eq!(over.finished, Some(THEN + 20 * SECOND), "the last container");
    assert!(over.is_over && over.host_network);
    assert_eq!(with("").finished, None, "one runs still");
    let bare = read(json!({ "metadata": { "name": "a", "uid": "u" }, "spec": {} }));
    assert_eq!((bare.finished, bare.addresses.len()), (None, 0));
}

#[test]
fn nodes_services_and_jobs_are_read() {
    let found = node(
        from_value(json!({
            "metadata": { "name": "n1", "uid": "u" }, "spec": {},
            "status": { "addresses": [
                { "type": "InternalIP", "address": "192.0.2.1" }, { "type": "Hostname", "address": "n1" },
                { "type": "ExternalIP", "address": "::ffff:198.51.100.1" }] }
        }))
        .expect("a node"),
    );
    assert_eq!(
        found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.0.2.1", "198.51.100.1"]
    );
    let found = service(
        from_value(json!({
            "metadata": { "name": "db", "namespace": "shop", "uid": "u" },
            "spec": { "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "2001:db8::1"], "externalIPs": ["198.51.100.1"],
                      "ports": [{ "port": 5432 }, { "port": 53, "protocol": "UDP" }, { "port": 80, "protocol": "TCP" }] },
            "status": { "loadBalancer": { "ingress": [{ "ip": "198.51.100.2" }, { "hostname": "lb.example.org" }] } }
        }))
        .expect("a service"),
    );
    let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.96.0.1", "2001:db8::1", "198.51.100.1", "198.51.100.2"]);
    assert_eq!(found.ports, [5432, 80]);
    let headless =
        json!({ "metadata": { "uid": "u" }, "spec": { "clusterIP": "None", "clusterIPs": ["None"] } });
    assert!(service(from_value(headless).expect("a service")).addresses.is_empty());
    let owner = json!({ "uid": "j", "ownerReferences":
        [{ "apiVersion": "batch/v1", "kind": "CronJob", "name": "backup", "uid": "c", "controller": true }] });
    let found = job(from_value(owner).expect("metadata"));
    assert_eq!((found.uid.as_str(), found.owner.map(|owner| owner.name)), ("j", Some("backup".to_owned())));
}
