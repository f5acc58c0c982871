//! The watches and the processor in this process, so that the tests choose the records.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otel_tcpretrans_kubernetes::Kubernetes;
use otel_tcpretrans_pipeline::component::FlowProcessor;
use otel_tcpretrans_pipeline::processors::K8sAttributesConfig;
use otel_tcpretrans_pipeline::processors::k8s_attributes::{Clusters, K8sAttributes};
use otel_tcpretrans_pipeline::record::{Amounts, Class, Flow, NetworkType, Record, RetransmitType, TcpState};

use crate::e2e::support::namespace::{isolated, wait_for};
use crate::objects::{Maker, Objects};
use crate::server::{Cluster, FIRST, User};

const REUSED: usize = 100;
/// One in so many pods lives until it was named in a hundred records.
const NAMED: usize = 33;

/// A processor that watches the cluster, and what its watches need.
fn processor(cluster: &Cluster, more: &str) -> (Clusters, K8sAttributes) {
    let kubeconfig = cluster.kubeconfig(User::Agent, FIRST);
    let yaml = format!(
        "{{ auth_type: kubeConfig, kube_config_path: '{}', wait_for_metadata: true, {more} }}",
        kubeconfig.display()
    );
    let config: K8sAttributesConfig = serde_yaml::from_str(&yaml).expect("a configuration");
    assert_eq!(config.validate(), []);
    let clusters = Clusters::watched_by(Arc::new(Kubernetes::default()));
    let processor = cluster.runtime.block_on(async {
        let _ready = config.ready(&clusters).await.expect("a start");
        config.start(&clusters)
    });
    (clusters, processor)
}

/// Now, in ns since the Unix epoch.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_nanos();
    u64::try_from(now).expect("a time")
}

/// A record to this peer.
fn record_to(peer: SocketAddr, time_unix_nano: u64) -> Record {
    let flow = Flow {
        local: SocketAddr::from(([127, 0, 0, 1], 9)),
        peer,
        state: TcpState::Established,
        netns_inode: None,
        cgroup_id: None,
        socket_cookie: None,
    };
    Record {
        time_unix_nano,
        class: Class {
            network_type: NetworkType::Ipv4,
            retransmit_type: RetransmitType::Fast,
            handshake_role: None,
            slow_start: None,
        },
        amounts: Amounts::default(),
        identity: None,
        flow: Some(flow),
        segment: None,
        tcp: None,
        owner: None,
        local_attributes: None,
        peer_attributes: None,
    }
}

/// What a record gets under this name.
fn name_of(record: &Record, name: &str) -> Option<String> {
    Some(record.peer_attributes.as_ref()?.get(name)?.to_string())
}

/// One pod after the other gets the address, a hundred times, while records are sent all the time. No record names another pod than the one that had the
/// address at the record's time.
pub fn an_address_is_reused_a_hundred_times() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let objects = Objects(cluster.client(User::Admin, FIRST));
        cluster.runtime.block_on(objects.allow_agent());
        let (_clusters, mut processor) = processor(&cluster, "peers: pods");
        let peer: SocketAddr = "10.1.0.7:443".parse().expect("an address");
        let answers = Arc::new(Mutex::new(Vec::<(u64, String)>::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let sender = thread::spawn({
            let (answers, is_over) = (Arc::clone(&answers), Arc::clone(&is_over));
            move || {
                let take = |records: &[Record]| {
                    let named = records.iter().filter_map(|record| {
                        Some((record.time_unix_nano, name_of(record, "k8s.peer.pod.name")?))
                    });
                    answers.lock().unwrap().extend(named);
                };
                let mut sent = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let record = record_to(peer, now());
                    take(&processor.push([record].into_iter().collect(), tokio::time::Instant::now()));
                    sent += 1;
                    thread::sleep(Duration::from_millis(2)); // between records
                }
                take(&processor.flush(None));
                sent
            }
        });
        // When each pod certainly had the address: from the answer to its status to the request to delete it.
        let mut lives = Vec::new();
        for number in 0..REUSED {
            let name = format!("pod-{number}");
            cluster.runtime.block_on(async {
                objects.create_pod(&name, &Maker::Nothing, false).await;
                objects.run_pod(&name, &["10.1.0.7"], &name).await;
            });
            let from = now();
            if number % NAMED == NAMED - 1 {
                wait_for(&name, Duration::from_secs(30), || {
                    answers.lock().unwrap().iter().filter(|(_, of)| *of == name).count() >= 100
                });
            }
            lives.push((from, now(), name.clone()));
            cluster.runtime.block_on(objects.delete_pod(&name));
        }
        is_over.store(true, Ordering::Relaxed);
        let sent = sender.join().expect("the sender");
        let answers = answers.lock().unwrap();
        println!("    {sent} records, {} named, {REUSED} pods with one address", answers.len());
        assert!(sent > 1000);
        for (time, name) in answers.iter() {
            // Between two pods it may be either's.
            let begun = lives.iter().take_while(|(from, ..)| from <= time).count();
            let candidates = [begun.checked_sub(1), Some(begun)].into_iter().flatten();
            let is_right = candidates.filter_map(|index| lives.get(index)).any(|(from, to, of)| {
                let is_its_own = (*from..=*to).contains(time);
                let is_another_ones =
                    lives.iter().any(|(from, to, other)| other != of && (*from..=*to).contains(time));
                name == of && (is_its_own || !is_another_ones)
            });
            assert!(is_right, "{name} at {time}: {lives:?}");
        }
    });
}

/// What is not a pod, and what has made pods.
pub fn nodes_services_and_workloads_are_named() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let objects = Objects(cluster.client(User::Admin, FIRST));
        cluster.runtime.block_on(objects.allow_agent());
        let (_clusters, mut processor) = processor(
            &cluster,
            "delay: 0s, peer_prefix: k8s.dst., extract: { metadata: [k8s.pod.name, k8s.node.name, k8s.service.name,
                k8s.workload.kind, k8s.workload.name], labels: [{ key: app, tag_name: app }] }, exclude: { pods: [{ name: ^hidden }] }",
        );
        // The watches run already, so that this comes by them and not by the lists.
        let address = cluster.runtime.block_on(async {
            objects.create_node("node-1", "192.0.2.10").await;
            let address = objects.create_service("shop", "198.51.100.7").await;
            let job = objects.create_job("backup-28391", "backup").await;
            for (name, maker, addresses) in [
                ("web-1", Maker::Deployment("web"), &["10.1.0.1", "2001:db8::1"][..]),
                ("backup-x", Maker::Job("backup-28391", job), &["10.1.0.2"]),
                ("hidden", Maker::Nothing, &["10.1.0.3"]),
                ("last", Maker::Nothing, &["10.1.0.4"]),
            ] {
                objects.create_pod(name, &maker, false).await;
                objects.run_pod(name, addresses, name).await;
            }
            // Its status has the address of its node.
            objects.create_pod("proxy", &Maker::Nothing, true).await;
            objects.run_pod("proxy", &["192.0.2.10"], "proxy").await;
            address
        });
        let names = ["pod.name", "node.name", "service.name", "workload.kind", "workload.name", "app"];
        let names: Vec<String> = names.iter().map(|name| format!("k8s.dst.{name}")).collect();
        let mut of = |address: &str, port: u16| {
            let address: IpAddr = address.parse().expect("an address");
            let record = record_to(SocketAddr::new(address, port), now());
            let named = processor.push([record].into_iter().collect(), tokio::time::Instant::now());
            let found = names.iter().map(|name| name_of(&named[0], name).unwrap_or_default());
            found.collect::<Vec<_>>().join(" ")
        };
        let node = " node-1  Node node-1 ";
        for (address, port, expected) in [
            ("10.1.0.4", 1, "last node-1  Pod last last"),
            ("10.1.0.1", 1, "web-1 node-1  Deployment web web-1"),
            ("2001:db8::1", 1, "web-1 node-1  Deployment web web-1"),
            ("10.1.0.2", 1, "backup-x node-1  Job backup-28391 backup-x"),
            ("192.0.2.10", 1, node),
            (&address, 443, "  shop Service shop "),
            ("198.51.100.7", 443, "  shop Service shop "),
            (&address, 80, "     "),
            ("10.1.0.3", 1, "     "),
        ] {
            wait_for(expected, Duration::from_secs(30), || of(address, port) == expected);
        }
        cluster.runtime.block_on(objects.delete_pod("last"));
        wait_for("the end of a pod", Duration::from_secs(30), || of("10.1.0.4", 1) == "     ");
        assert_eq!(of("192.0.2.10", 1), node, "the pod of the node's network is not named");
    });
}
