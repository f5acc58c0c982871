//! The cases: compressions, temporalities, many requests, and a Collector that is not running all the time.

use std::collections::{BTreeMap, BTreeSet};

use super::output::Received;
use super::peer::{Collector, HTTP_PORT, PORT};
use crate::e2e::agent::{Agent, Finished};
use crate::e2e::debug_output::has_counted;
use crate::e2e::support::namespace::{isolated, retrans_segs, without_gso};
use crate::e2e::telemetry::five_tuple;
use crate::e2e::traffic::{Traffic, lossy_transfers};

/// An agent that exports to the Collector, and prints the same on its stdout.
fn agent(compression: &str, temporality: &str) -> Agent {
    let exporter = format!("endpoint: http://127.0.0.1:{PORT}, compression: {compression}");
    agent_with("otlp", &exporter, temporality)
}

fn agent_with(kind: &str, exporter: &str, temporality: &str) -> Agent {
    agent_of(kind, exporter, temporality, "service:")
}

/// `service`: the line `service:`, and what is to be beside the pipelines.
fn agent_of(kind: &str, exporter: &str, temporality: &str, service: &str) -> Agent {
    let retry = "retry_on_failure: { initial_interval: 100ms, max_interval: 300ms }";
    Agent::start(&format!(
        "
processors:
  aggregate: {{ interval: 300ms, temporality: {temporality} }}
  batch: {{ timeout: 100ms, send_batch_size: 500 }}
exporters:
  {kind}: {{ {exporter}, {retry} }}
{service}
  pipelines:
    metrics: {{ processors: [aggregate, batch], exporters: [debug, {kind}] }}
    logs: {{ processors: [batch], exporters: [debug, {kind}] }}
"
    ))
}

pub fn arrives_whole(compression: &'static str, temporality: &'static str) {
    isolated(move || {
        let collector = Collector::start();
        let agent = agent(compression, temporality);
        let traffic = lossy_transfers(16, &[PORT]);
        let finished = agent.finish();
        assert_received(&collector.finish(), &finished, &traffic, temporality);
    });
}

pub fn arrives_whole_over_http(exporter: &'static str) {
    isolated(move || {
        let collector = Collector::start();
        let exporter = format!("endpoint: http://127.0.0.1:{HTTP_PORT}, {exporter}");
        let agent = agent_with("otlp_http", &exporter, "cumulative");
        let traffic = lossy_transfers(16, &[HTTP_PORT]);
        let finished = agent.finish();
        assert_received_from("otlp_http", &collector.finish(), &finished, &traffic, "cumulative");
    });
}

/// One segment per event, so that there are thousands of records, and four workers that send them.
pub fn many_requests_arrive_whole() {
    isolated(|| {
        without_gso();
        let collector = Collector::start();
        let agent = agent("gzip", "cumulative");
        let traffic = lossy_transfers(16, &[PORT]);
        let finished = agent.finish();
        let received = collector.finish();
        assert!(received.telemetry.records.len() > 1000, "{}", received.telemetry.records.len());
        assert!(received.requests > 5, "{}", received.requests);
        assert_received(&received, &finished, &traffic, "cumulative");
    });
}

pub fn a_late_collector_gets_what_was_before() {
    isolated(|| {
        let mut agent = agent("gzip", "cumulative");
        let traffic = lossy_transfers(8, &[]);
        agent.0.wait_until("a report", |agent| has_counted(&agent.stdout()));
        agent.wait_until_said("a request failed");
        let mut collector = Collector::start();
        collector.wait_until_received(); // by a retry, before any drain
        let finished = agent.finish();
        assert_received(&collector.finish(), &finished, &traffic, "cumulative");
    });
}

pub fn a_collector_that_comes_back_loses_nothing() {
    isolated(|| comes_back("otlp", PORT, || agent("gzip", "delta")));
}

pub fn a_collector_that_comes_back_over_http_loses_nothing_of_a_queue_on_disk() {
    isolated(|| {
        let storage = tempfile::tempdir().expect("a folder");
        let exporter =
            format!("endpoint: http://127.0.0.1:{HTTP_PORT}, sending_queue: {{ storage: file_storage }}");
        let extension = format!(
            "extensions: {{ file_storage: {{ directory: '{}' }} }}\nservice:\n  extensions: [file_storage]",
            storage.path().display()
        );
        comes_back("otlp_http", HTTP_PORT, || agent_of("otlp_http", &exporter, "delta", &extension));
    });
}

/// The first and the second Collector together receive everything, once.
fn comes_back(exporter: &str, port: u16, start: impl FnOnce() -> Agent) {
    let mut first = Collector::start();
    let agent = start();
    lossy_transfers(8, &[port]);
    first.wait_until_received();
    let mut received = first.finish();
    lossy_transfers(8, &[port]);
    let mut second = Collector::start();
    second.wait_until_received();
    let traffic = lossy_transfers(8, &[port]);
    let finished = agent.finish();
    received.append(second.finish());
    assert_received_from(exporter, &received, &finished, &traffic, "delta");
}

/// Checks that the Collector received what the agent delivered by its books, what the agent printed, and what the
/// kernel counted, in the form that the contract demands.
fn assert_received(received: &Received, finished: &Finished, traffic: &Traffic, temporality: &str) {
    assert_received_from("otlp", received, finished, traffic, temporality);
}

fn assert_received_from(
    exporter: &str,
    received: &Received,
    finished: &Finished,
    traffic: &Traffic,
    temporality: &str,
) {
    let (telemetry, books) = (&received.telemetry, &finished.books);
    books.assert_nothing_lost();
    // The connection to the Collector is in the same namespace. On a busy machine the kernel may retransmit there, too.
    telemetry.assert_counted_within(books, traffic.retrans_segs..=retrans_segs(), &traffic.connections);
    assert_eq!(telemetry.sums(), finished.printed.sums());
    assert_eq!(telemetry.records.len() as u64, books.exporter("logs", exporter, "delivered"));
    assert_eq!(telemetry.points.len() as u64, books.exporter("metrics", exporter, "delivered"));
    assert!(telemetry.points.iter().all(|point| point.is_cumulative == (temporality == "cumulative")));
    assert_addresses(received, finished);
    assert_contract(received);
}

/// Checks that the addresses of each record are those that the agent printed.
fn assert_addresses(received: &Received, finished: &Finished) {
    let by_addresses = |records: &[crate::e2e::telemetry::Attributes]| {
        let mut counts = BTreeMap::new();
        for record in records {
            *counts.entry((five_tuple(record), record["tcp.seq"].clone())).or_insert(0) += 1;
        }
        counts
    };
    assert_eq!(by_addresses(&received.telemetry.records), by_addresses(&finished.printed.records));
}

/// Checks names, types and units.
fn assert_contract(received: &Received) {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(received.events, set(&["tcp.retransmit"]));
    assert_eq!(received.scopes, set(&[concat!("otel-tcpretrans ", env!("CARGO_PKG_VERSION"))]));
    let resources: Vec<_> = received.resources.iter().collect();
    assert_eq!(resources.len(), 1, "{resources:?}");
    assert_eq!(resources[0]["service.name"], "otel-tcpretrans");
    for name in ["service.version", "service.instance.id", "host.name", "host.arch", "os.type"] {
        assert!(resources[0].contains_key(name), "no {name} in {resources:?}");
    }
    for (name, kind) in [
        ("network.transport", "Str"),
        ("network.type", "Str"),
        ("network.tcp.retransmit.type", "Str"),
        ("network.connection.state", "Str"),
        ("network.local.address", "Str"),
        ("network.local.port", "Int"),
        ("network.peer.address", "Str"),
        ("network.peer.port", "Int"),
        ("tcp.flags", "Str"),
        ("tcp.segments", "Int"),
        ("tcp.bytes", "Int"),
        ("tcp.seq", "Int"),
        ("tcp.rtt", "Double"),
        ("tcp.cwnd", "Int"),
        ("tcp.mss", "Int"),
        ("tcp.total_retransmits", "Int"),
        ("tcp.segments_sent", "Int"),
        ("tcp.dsack_dups", "Int"),
        ("linux.netns.inode", "Int"),
    ] {
        assert_eq!(received.types.get(name), Some(&set(&[kind])), "{name}");
    }
    for (metric, unit) in
        [("retransmits", "{segment}"), ("retransmit.events", "{event}"), ("retransmit.io", "By")]
    {
        let descriptors = &received.descriptors[&format!("system.network.tcp.{metric}")];
        for descriptor in descriptors {
            let of = |name: &str| descriptor[name].as_str();
            assert_eq!((of("Unit"), of("DataType"), of("IsMonotonic")), (unit, "Sum", "true"), "{metric}");
        }
    }
    assert_eq!(received.times.len(), received.telemetry.records.len());
    for (happened, observed) in &received.times {
        assert!(happened <= observed, "happened {happened}, observed {observed}");
    }
}
