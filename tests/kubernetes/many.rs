//! What the agent asks of the server, and what it keeps: pages of many pods, and little memory.

use std::time::Duration;

use crate::e2e::agent::Agent;
use crate::e2e::scrape::Scrape;
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::live::overlay;
use crate::objects::Objects;
use crate::server::{Cluster, FIRST, User};

/// More than two pages of 500. `OTEL_TCPRETRANS_PODS` sets another number.
const PODS: usize = 1200;
/// Pods in a page.
const PAGE: usize = 500;
/// Memory for so many pods, in MiB.
const MIB_PER_10_000: f64 = 20.0;
/// What the watches take in addition, whatever the number of pods: a page, and the client's buffers.
const WATCHES_MIB: f64 = 14.0;

/// Waits until the agent knows so many pods.
fn wait_until_known(pods: usize) {
    let of_pods = [("resource", "pods")];
    wait_for("the pods to be known", Duration::from_secs(120), || {
        Scrape::take().sum("otelcol_tcpretrans_k8s_objects", &of_pods) == pods as u64
    });
}

/// The agent's resident memory in MiB, when it knows so many pods.
fn memory(pods: usize) -> f64 {
    wait_until_known(pods);
    Scrape::take().sum("otelcol_process_memory_rss", &[]) as f64 / f64::from(1 << 20)
}

/// How many lists of pods the server has answered, by its own metrics.
fn lists(cluster: &Cluster) -> usize {
    let client = cluster.client(User::Admin, FIRST);
    let request = http::Request::get("/metrics").body(Vec::new()).expect("a request");
    let metrics = cluster.runtime.block_on(client.request_text(request)).expect("metrics");
    let of_pods = metrics.lines().filter(|line| {
        let has = |label: &str| line.contains(label);
        line.starts_with("apiserver_request_total{") && has("resource=\"pods\"") && has("verb=\"LIST\"")
    });
    of_pods.filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok()).sum()
}

pub fn take_little_memory() {
    isolated(|| {
        let pods = std::env::var("OTEL_TCPRETRANS_PODS").map_or(PODS, |pods| pods.parse().expect("a number"));
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let objects = Objects(cluster.client(User::Admin, FIRST));
        cluster.runtime.block_on(objects.allow_agent());
        let kubeconfig = cluster.kubeconfig(User::Agent, FIRST);
        let overlay = overlay(&kubeconfig, "wait_for_metadata: true, wait_for_metadata_timeout: 60s");
        let before = Agent::start(&overlay);
        let without = memory(0);
        cluster.runtime.block_on(objects.run_many_pods(pods));
        let watched = memory(pods);
        before.finish();
        // Another one gets them by lists.
        let lists = lists(&cluster);
        let after = Agent::start(&overlay);
        let listed = memory(pods);
        after.finish();
        assert_eq!(self::lists(&cluster) - lists, pods.div_ceil(PAGE), "one request per page");
        println!(
            "    MiB: {without:.1} without pods, {watched:.1} with {pods} by the watch, {listed:.1} by lists"
        );
        let limit = without + WATCHES_MIB + MIB_PER_10_000 * pods as f64 / 10_000.0;
        assert!(watched < limit && listed < limit, "more than {limit} MiB");
    });
}

/// A pipeline that is replaced by a reload goes on with what is known. Only another configuration of the processor makes
/// the agent ask the server again.
pub fn a_reload_keeps_the_watches() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let objects = Objects(cluster.client(User::Admin, FIRST));
        cluster.runtime.block_on(async {
            objects.allow_agent().await;
            objects.run_many_pods(3).await;
        });
        let overlay = overlay(&cluster.kubeconfig(User::Agent, FIRST), "wait_for_metadata: true");
        let mut agent = Agent::start(&overlay);
        let before = lists(&cluster);
        let other_sums = overlay.replace("attributes: [k8s.workload.name,", "attributes: [k8s.pod.name,");
        assert_ne!(other_sums, overlay);
        let other_peers = other_sums.replace("wait_for_metadata", "peers: pods, wait_for_metadata");
        for (reloads, config, new_lists) in [(1, &other_sums, 0), (2, &other_peers, 1)] {
            agent.reload(config);
            wait_for("the reload", Duration::from_secs(30), || agent.times_said("reloaded") == reloads);
            wait_until_known(3);
            assert_eq!(lists(&cluster) - before, new_lists, "reload {reloads}");
        }
        agent.finish();
    });
}
