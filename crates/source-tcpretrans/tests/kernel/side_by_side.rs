//! Two receivers, one storm: whatever the transport, the events are the same.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::raw::{RawEvent, RawKind};
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
        // What found its program running came by one of them at most, and its segments are in that socket's next event.
        let apart = difference(&ring, &perf);
        let bound = 2 * (ring.recursions() + perf.recursions());
        println!(
            "    {} events by the ring buffer, {} by perf, {apart} apart",
            ring.events.len(),
            perf.events.len()
        );
        assert!(ring.events.len() > 100 && apart <= bound, "{apart} events differ, {bound} may");
    });
}

/// How many events only one of them has.
fn difference(one: &Finished, other: &Finished) -> u64 {
    let mut counts = BTreeMap::<_, i64>::new();
    for (finished, sign) in [(one, 1), (other, -1)] {
        let shown = finished.events.iter().filter(|event| event.kind != RawKind::Unseen);
        for event in shown {
            *counts.entry(said(event)).or_default() += sign;
        }
    }
    counts.values().map(|count| count.unsigned_abs()).sum()
}

/// All that an event says, but for what is the receiver's own: the moment of its program, its numbering, and who made
/// the socket's cookie.
fn said(event: &RawEvent) -> String {
    let own = RawEvent { boot_time_ns: 0, wall_offset_ns: 0, sequence: 0, socket_cookie: None, ..*event };
    format!("{own:?}")
}
