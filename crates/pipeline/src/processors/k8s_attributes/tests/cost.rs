//! What a record costs, and what a pod takes in memory.

use std::net::SocketAddr;
use std::time::Instant;

use super::*;
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::fixtures::{bundle, record_to};
use crate::processors::k8s_attributes::Clusters;
use crate::record::{Flow, Record};

/// Records of one chunk, each of another pod and to another peer.
const RECORDS: usize = 256;
const ROUNDS: usize = 200;
/// The bound of issue 10.
const MOST_NS: f64 = 200.0;
const PODS: usize = 10_000;

fn address(number: usize) -> String {
    format!("10.{}.{}.{}", 1 + number / 65_536, number / 256 % 256, number % 256)
}

/// A pod as clusters have them: with long names.
fn long(number: usize) -> Pod {
    let name = format!("checkout-service-frontend-5d89f7b6c4-{number:05}");
    let uid = format!("7b3f1c2a-9d4e-4f60-8a1b-{number:012}");
    let containers = [(0, "checkout-service"), (1, "istio-proxy")]
        .map(|(index, name)| container(&format!("{:064x}", number * 2 + index), name));
    Pod {
        uid,
        node: Some(format!("ip-10-0-{}-17.eu-central-1.compute.internal", number / 30)),
        containers: containers.into(),
        ..pod(&name, &address(number), START)
    }
}

#[test]
fn ten_thousand_pods_fit_in_20_mib() {
    // The worst case: all have containers, and all were asked for on both sides.
    let mut store = store("extract: { labels: [{ key: app }] }");
    let info = allocation_counter::measure(|| {
        for number in 0..PODS {
            store.pod(&long(number), START + 10 * SECOND);
        }
        for number in 0..PODS {
            let id = format!("{:064x}", number * 2);
            let (uid, address) = (long(number).uid, ip(&address(number)));
            assert!(store.local(Some(&uid), Some(&id), address, START).is_some());
            assert!(store.peer(address, 1, START + 20 * SECOND).is_some());
        }
    });
    let bytes = usize::try_from(info.bytes_current).unwrap();
    println!("    {} bytes a pod", bytes / PODS);
    assert!(bytes > PODS * 300, "memory is not counted: {bytes}");
    assert!(bytes < 20 << 20, "{bytes} bytes for {PODS} pods");
}

#[test]
fn a_record_costs_little_and_allocates_nothing() {
    let config = config("{}");
    let clusters = Clusters::default();
    let mut processor = config.start(&clusters);
    for number in 0..PODS {
        processor.cluster.pod(&long(number));
    }
    let records: Vec<Record> = (0..RECORDS)
        .map(|number| {
            let pod = long(number);
            let found = bundle([
                ("linux.cgroup.path", "/kubepods.slice/kubepods-burstable.slice/x"),
                ("container.id", &pod.containers[0].id),
                ("container.runtime.name", "containerd"),
                ("k8s.pod.uid", &pod.uid),
                ("k8s.pod.qos_class", "burstable"),
            ]);
            let to = SocketAddr::new(ip(&address(PODS - 1 - number)), 443);
            let flow =
                record_to(to).flow.map(|flow| Flow { local: SocketAddr::new(pod.addresses[0], 1), ..flow });
            let now = START + 100 * SECOND; // long ago, so that it does not wait
            Record { flow, time_unix_nano: now, local_attributes: Some(found), ..record_to(to) }
        })
        .collect();
    let chunk: Chunk<Record> = records.into_iter().collect();
    let now = tokio::time::Instant::now();
    let named = processor.push(chunk.clone(), now);
    for record in named.iter() {
        assert!(record.local_attributes.as_ref().unwrap().get("k8s.container.name").is_some());
        assert!(record.peer_attributes.as_ref().unwrap().get("k8s.peer.pod.name").is_some());
    }
    let mut fastest = f64::MAX;
    let info = allocation_counter::measure(|| {
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let named = processor.push(chunk.clone(), now);
            fastest = fastest.min(start.elapsed().as_secs_f64());
            drop(named);
        }
    });
    let per_record = info.count_total as f64 / (ROUNDS * RECORDS) as f64;
    let ns = fastest * 1e9 / RECORDS as f64;
    println!("    {ns:.0} ns and {per_record:.3} allocations a record");
    assert!(info.count_total > 0, "allocations are not counted");
    assert!(
        per_record < 0.03,
        "{per_record} allocations a record: those of a chunk are shared by its records"
    );
    // Only an optimised build says what it costs.
    assert!(cfg!(debug_assertions) || ns < MOST_NS, "{ns} ns");
}
