//! Two receivers, one storm: whatever the transport, the events are the same.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::record::{Flow, Identity, Record};
use otel_tcpretrans_source::config::{Hook, Transport};

use crate::running::{Finished, Running, own};
use crate::support::namespace::{isolated, retrans_segs, wait_until_quiet, without_gso};
use crate::support::traffic::{loopback, lossy_transfer};

pub fn both_transports_carry_the_same_events() {
    isolated(|| {
        without_gso();
        let running = [Transport::Ringbuf, Transport::Perf].map(|with| Running::start(own(Hook::Auto, with)));
        for v6 in [false, true] {
            lossy_transfer(loopback(v6), loopback(v6), 8 << 20);
        }
        wait_until_quiet();
        let [ring, perf] = running.map(Running::finish);
        for finished in [&ring, &perf] {
            assert_eq!(finished.unobserved(), finished.recursions(), "{:?}", finished.counts);
            finished.assert_balanced(retrans_segs());
        }
        // A hit that found its program running is an event of the other receiver at most. Its segments are in the socket's
        // next event.
        let apart = difference(&ring, &perf);
        let bound = 2 * (ring.recursions() + perf.recursions());
        println!(
            "    {} events by the ring buffer, {} by perf, {} apart",
            ring.records.len(),
            perf.records.len(),
            apart.len()
        );
        assert!(ring.records.len() > 100, "{} events", ring.records.len());
        assert!(apart.len() as u64 <= bound, "{} events differ, {bound} may: {apart:#?}", apart.len());
    });
}

/// The events that only one of them has.
fn difference(one: &Finished, other: &Finished) -> Vec<String> {
    let mut counts = BTreeMap::<_, i64>::new();
    for (finished, sign) in [(one, 1), (other, -1)] {
        let shown = finished.records.iter().filter(|record| !record.is_gap());
        for record in shown {
            *counts.entry(said(record)).or_default() += sign;
        }
    }
    let only_one_has = |(said, count): (String, i64)| vec![said; count.unsigned_abs() as usize];
    counts.into_iter().flat_map(only_one_has).collect()
}

/// All that a record says, without what differs from receiver to receiver: the moment of the program, the numbering, who
/// made the socket's cookie, and the CPU. Where tracepoints can be preempted (Linux 7.0), a task may move to another CPU
/// between the two programs.
fn said(record: &Record) -> String {
    let identity = record.identity.map(|identity| Identity { sequence: 0, cpu: 0, ..identity });
    let flow = record.flow.map(|flow| Flow { socket_cookie: None, ..flow });
    format!("{:?}", Record { time_unix_nano: 0, identity, flow, ..record.clone() })
}
