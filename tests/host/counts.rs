//! The telemetry that leaves the agent equals what the kernel counted.

use crate::e2e::agent::Agent;
use crate::e2e::debug_output::has_counted;
use crate::e2e::support::namespace::{isolated, mib, retrans_segs, wait_for, without_gso};
use crate::e2e::telemetry::{Telemetry, five_tuple};
use crate::e2e::traffic::{lossy_transfers, storm};
use std::collections::BTreeMap;
use std::time::Duration;

/// All that the kernel counted is in the sums and in the log records once, in both temporalities.
pub fn equal_the_kernel(temporality: &'static str) {
    isolated(move || {
        let overlay =
            format!("processors: {{ aggregate: {{ temporality: {temporality}, interval: 300ms }} }}");
        let agent = Agent::start(&overlay);
        // Two transfers, so that there is more than one report.
        let first = lossy_transfers(16, &[]);
        wait_for("a report", Duration::from_secs(10), || has_counted(&agent.0.stdout()));
        let second = lossy_transfers(16, &[]);
        let finished = agent.finish();

        let printed = finished.printed;
        let connections = [first.connections, second.connections].concat();
        printed.assert_counted(&finished.books, second.retrans_segs, &connections);
        assert!(printed.points.iter().all(|point| point.is_cumulative == (temporality == "cumulative")));
        let counted = printed.points.iter().filter(|point| point.value > 0).count();
        assert!(printed.sums().len() < counted, "no series was reported twice");
        let starts: std::collections::BTreeSet<_> = printed.points.iter().map(|point| &point.since).collect();
        assert!(
            starts.len() > 1 || temporality == "cumulative",
            "a delta's window starts at the end of the one before it"
        );
        assert_shares(&printed);
    });
}

/// A record has the share of its own connection: of the segments sent, how many were sent again.
fn assert_shares(printed: &Telemetry) {
    let mut sent = BTreeMap::new();
    for record in &printed.records {
        let number = |name: &str| record[name].parse::<u64>().expect(name);
        let (segments, again) = (number("tcp.segments_sent"), number("tcp.total_retransmits"));
        // A lone FIN has no data.
        assert!(segments > 0 || number("tcp.bytes") == 0, "{record:?}");
        assert!(number("tcp.dsack_dups") <= again, "{record:?}");
        let largest = sent.entry(five_tuple(record)).or_insert(0);
        assert!(segments >= *largest, "it falls: {record:?}");
        *largest = segments;
    }
    let all = mib("snmp", "Tcp", "OutSegs") + retrans_segs();
    let shown = sent.values().sum::<u64>();
    assert!(shown <= all && shown > all / 10, "the records show {shown} of {all} segments");
}

/// With further attributes and a limit on the number of series, the overflow series takes the rest, and nothing is
/// lost.
pub fn a_series_per_peer() {
    isolated(|| {
        let agent = Agent::start(
            "processors: { aggregate: { attributes: [network.peer.address, network.peer.port], max_series: 1 } }",
        );
        let traffic = lossy_transfers(8, &[]);
        let finished = agent.finish();
        let of = |overflow: bool| {
            let sums = finished.printed.sums().into_iter();
            let retransmits = sums.filter(|((metric, _), _)| metric == "system.network.tcp.retransmits");
            let has = |attributes: &crate::e2e::telemetry::Attributes| {
                attributes.contains_key("otel.metric.overflow")
            };
            retransmits.filter(move |((_, attributes), _)| has(attributes) == overflow).collect::<Vec<_>>()
        };
        let (named, overflow) = (of(false), of(true));
        assert_eq!((named.len(), overflow.len()), (1, 1), "{named:?} {overflow:?}");
        let ((_, series), _) = &named[0];
        let peers = traffic.connections.map(|connection| connection.server.port().to_string());
        assert!(peers.contains(&series["network.peer.port"]), "{series:?}");
        let total = finished.printed.sum_of("system.network.tcp.retransmits");
        assert_eq!(total, finished.printed.segments());
        assert_eq!(finished.books.unobserved(), 0);
        assert_eq!(total, traffic.retrans_segs);
    });
}

/// One event per segment, eight flows, and one packet in ten dropped. The default buffers and queues are large enough
/// for that.
pub fn a_storm_loses_nothing(transport: &'static str) {
    isolated(move || {
        without_gso();
        let agent = Agent::start(&format!("receivers: {{ tcpretrans: {{ transport: {transport} }} }}"));
        let connections = storm(8);
        let retrans_segs = retrans_segs();
        assert!(retrans_segs > 2000, "no storm: {retrans_segs}");
        let finished = agent.finish();
        finished.books.assert_nothing_lost();
        finished.printed.assert_counted(&finished.books, retrans_segs, &connections);
    });
}
