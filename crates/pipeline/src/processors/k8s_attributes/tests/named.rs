//! What names things get.

use std::sync::Arc;

use super::*;
use crate::processors::k8s_attributes::objects::{Job, Node, Service};

const A: &str = "10.1.0.7";
const NOW: u64 = START + 100 * SECOND;

/// All attributes of a peer, as `name=value`.
fn all(store: &Store, address: &str) -> Vec<String> {
    let bundle = store.peer(ip(address), 443, NOW);
    bundle
        .into_iter()
        .flat_map(|bundle| bundle.iter())
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn service(uid: &str, addresses: &[&str], ports: &[u16]) -> Service {
    Service {
        uid: uid.to_owned(),
        namespace: "shop".to_owned(),
        name: uid.to_owned(),
        addresses: addresses.iter().map(|address| ip(address)).collect(),
        ports: ports.to_vec(),
        created: START,
    }
}

fn node(name: &str, address: &str) -> Node {
    Node { uid: name.to_owned(), name: name.to_owned(), addresses: vec![ip(address)], created: START }
}

#[test]
fn a_pod_has_its_names_on_both_sides() {
    let mut store = store("extract: { labels: [{ key: app }, { key: tier, tag_name: tier }] }");
    let two = Pod { addresses: vec![ip(A), ip("2001:db8::7")], ..pod("web-1", A, START) };
    store.pod(&two, NOW);
    let expected = [
        "k8s.peer.namespace.name=shop",
        "k8s.peer.pod.name=web-1",
        "k8s.peer.node.name=node-1",
        "k8s.peer.workload.kind=Deployment",
        "k8s.peer.workload.name=web",
        "k8s.peer.deployment.name=web",
        "k8s.peer.pod.label.app=web",
    ];
    assert_eq!(all(&store, A), expected);
    assert_eq!(all(&store, "2001:db8::7"), expected, "all of podIPs");
    let bundle = store.local(Some("uid-web-1"), Some("id-web-1"), ip(A), NOW).unwrap();
    let names: Vec<_> = bundle.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        names,
        [
            "k8s.namespace.name=shop",
            "k8s.pod.name=web-1",
            "k8s.container.name=main",
            "k8s.node.name=node-1",
            "k8s.workload.kind=Deployment",
            "k8s.workload.name=web",
            "k8s.deployment.name=web",
            "k8s.pod.label.app=web",
        ]
    );
}

#[test]
fn a_pod_with_the_network_of_its_node_is_named_by_its_uid_and_never_by_the_address() {
    let mut store = store("{}");
    let address = "192.0.2.10";
    store.pod(&Pod { host_network: true, ..pod("proxy", address, START) }, NOW);
    assert_eq!(all(&store, address), [""; 0]);
    assert_eq!(local(&store, "uid-proxy", "id-proxy", "k8s.container.name").as_deref(), Some("main"));
    assert_eq!(store.local(None, None, ip(address), NOW), None);
    store.node(&node("node-1", address), NOW);
    assert_eq!(
        all(&store, address),
        ["k8s.peer.node.name=node-1", "k8s.peer.workload.kind=Node", "k8s.peer.workload.name=node-1"]
    );
    assert_eq!(store.local(None, None, ip(address), NOW), None, "a process of the node is no pod");
}

#[test]
fn a_local_pod_is_named_by_its_address_only_if_no_cgroup_names_one() {
    let mut store = store("{}");
    store.pod(&pod("web-1", A, START), NOW);
    let by_address =
        |uid| store.local(uid, None, ip(A), NOW).map(|bundle| bundle.get("k8s.pod.name").unwrap());
    assert_eq!(by_address(None).and_then(|name| name.as_str()), Some("web-1"));
    assert_eq!(by_address(Some("unknown")), None, "the cgroup says that it is another pod");
}

#[test]
fn a_static_pod_is_named_by_the_hash_that_its_cgroup_has() {
    let mut store = store("{}");
    let hash = "0123456789abcdef0123456789abcdef";
    store.pod(&Pod { manifest_hash: Some(hash.to_owned()), ..pod("etcd", A, START) }, NOW);
    assert_eq!(local(&store, hash, "id-etcd", "k8s.container.name").as_deref(), Some("main"));
}

#[test]
fn containers_of_before_stay_and_an_update_keeps_what_was_made() {
    let mut store = store("{}");
    store.pod(&pod("a", A, START), NOW);
    let first = Arc::clone(store.local(Some("uid-a"), Some("id-a"), ip(A), NOW).unwrap());
    let restarted = Pod { containers: vec![container("id-2", "main")], ..pod("a", A, START) };
    store.pod(&restarted, NOW + SECOND);
    store.pod(&Pod { containers: Vec::new(), ..restarted }, NOW + 2 * SECOND);
    for id in ["id-a", "id-2"] {
        assert_eq!(local(&store, "uid-a", id, "k8s.container.name").as_deref(), Some("main"), "{id}");
    }
    assert!(Arc::ptr_eq(&first, store.local(Some("uid-a"), Some("id-a"), ip(A), NOW).unwrap()));
    assert_eq!(local(&store, "uid-a", "id-3", "k8s.pod.name").as_deref(), Some("a"), "without the container");
    for number in 0..100 {
        let containers = vec![container(&number.to_string(), "main")];
        store.pod(&Pod { containers, ..pod("a", A, START) }, NOW + 3 * SECOND);
    }
    assert_eq!(local(&store, "uid-a", "id-a", "k8s.container.name"), None, "they are bounded in number");
    assert_eq!(local(&store, "uid-a", "99", "k8s.container.name").as_deref(), Some("main"));
}

#[test]
fn containers_of_other_nodes_are_not_kept() {
    let mut store = store("filter: { node: node-2 }");
    store.pod(&pod("a", A, START), NOW);
    assert_eq!(local(&store, "uid-a", "id-a", "k8s.container.name"), None);
    assert_eq!(peer(&store, A, NOW).as_deref(), Some("a"));
}

#[test]
fn a_service_is_named_by_its_addresses_and_ports() {
    let mut store = store("{}");
    store.service(&service("db", &["10.96.0.1", "198.51.100.1"], &[443, 5432]), NOW);
    store.service(&service("other", &["198.51.100.1"], &[8443]), NOW);
    let of_db = [
        "k8s.peer.namespace.name=shop",
        "k8s.peer.service.name=db",
        "k8s.peer.workload.kind=Service",
        "k8s.peer.workload.name=db",
    ];
    assert_eq!(all(&store, "10.96.0.1"), of_db);
    assert_eq!(all(&store, "198.51.100.1"), of_db, "two services share the address, each has its ports");
    assert_eq!(store.peer(ip("10.96.0.1"), 80, NOW), None, "not one of its ports");
    // Some load balancers give out the addresses of nodes.
    store.node(&node("node-1", "198.51.100.1"), NOW);
    assert_eq!(all(&store, "198.51.100.1"), of_db);
    let other = store.peer(ip("198.51.100.1"), 22, NOW).unwrap();
    assert_eq!(other.get("k8s.peer.node.name").unwrap().to_string(), "node-1");
    store.deleted("db", NOW + SECOND);
    assert_eq!(store.peer(ip("10.96.0.1"), 443, NOW + 10 * SECOND), None);
}

#[test]
fn a_cron_job_is_named_whether_its_job_is_known_before_or_after_the_pod() {
    let names = "extract: { metadata: [k8s.workload.name, k8s.cronjob.name, k8s.job.name] }";
    let owner = |kind: &str, name: &str| {
        Some(Owner { kind: kind.to_owned(), name: name.to_owned(), uid: format!("uid-{name}") })
    };
    let of_job = Pod { owner: owner("Job", "backup-28391"), ..pod("backup-28391-x", A, START) };
    let job = Job { uid: "uid-backup-28391".to_owned(), owner: owner("CronJob", "backup") };
    let expected =
        ["k8s.peer.workload.name=backup", "k8s.peer.cronjob.name=backup", "k8s.peer.job.name=backup-28391"];
    let mut before = store(names);
    before.job(&job);
    before.pod(&of_job, NOW);
    assert_eq!(all(&before, A), expected);
    let mut after = store(names);
    after.pod(&of_job, NOW);
    assert_eq!(all(&after, A), ["k8s.peer.workload.name=backup-28391", "k8s.peer.job.name=backup-28391"]);
    after.job(&job);
    assert_eq!(all(&after, A), expected);
    // The job is deleted before its pods.
    after.job_deleted(&job.uid);
    after.pod(&of_job, NOW);
    assert_eq!(all(&after, A), expected);
}

#[test]
fn excluded_pods_are_not_named_and_keep_their_addresses() {
    let mut store = store("exclude: { pods: [{ name: '^jaeger-' }] }");
    store.pod(&pod("jaeger-agent", A, START), NOW);
    assert_eq!(all(&store, A), [""; 0]);
    assert_eq!(local(&store, "uid-jaeger-agent", "id-jaeger-agent", "k8s.pod.name"), None);
    store.pod(&pod("web", A, START), NOW);
    assert_eq!(all(&store, A), [""; 0], "it may be the other one's");
}

#[test]
fn names_that_change_are_taken_over() {
    let mut store = store("extract: { labels: [{ key: app }] }");
    store.pod(&pod("a", A, START), NOW);
    assert_eq!(attribute(&store, A, NOW, "k8s.peer.pod.label.app").as_deref(), Some("web"));
    let labels = [("app".to_owned(), "shop".to_owned())].into();
    store.pod(&Pod { labels, ..pod("a", A, START) }, NOW);
    assert_eq!(attribute(&store, A, NOW, "k8s.peer.pod.label.app").as_deref(), Some("shop"));
    assert_eq!(local(&store, "uid-a", "id-a", "k8s.pod.label.app").as_deref(), Some("shop"));
}
