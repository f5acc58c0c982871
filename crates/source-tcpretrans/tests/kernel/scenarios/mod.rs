//! Each way to lose segments, alone: what the receiver says of it, and why, against the kernel's own counters of that
//! reason. Each over IPv4 and IPv6 by each congestion control at once, with GSO and without, seen by both hooks.

mod data;
mod handshake;
mod pair;

use std::time::Duration;

use otel_tcpretrans_source::config::Transport;

use crate::running::{Finished, Running, hooks, own};
use crate::support::harness::Case;
use crate::support::namespace::{isolated, retrans_segs, wait_until_quiet, without_gso};
use pair::Way;

pub const CASES: &[Case] = &[
    ("scenarios::steady_loss", || each(data::steady_loss)),
    ("scenarios::a_burst", || each(data::a_burst)),
    ("scenarios::the_last_segment_lost", || each(data::the_last_segment_lost)),
    ("scenarios::a_dead_peer", || each(data::a_dead_peer)),
    ("scenarios::an_unreachable_syn", || each(handshake::an_unreachable_syn)),
    ("scenarios::a_lost_syn_ack", || each(handshake::a_lost_syn_ack)),
];

/// What a scenario waits for happens within a few of the kernel's timeouts, on a slow machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a scenario in namespaces of its own, whose counters begin at 0.
fn each(scenario: fn(&[Way], Watch)) {
    for gso in [true, false] {
        isolated(move || {
            if !gso {
                without_gso();
            }
            let ways = Way::all();
            println!("    {} ways, {} GSO", ways.len(), if gso { "with" } else { "without" });
            scenario(&ways, Watch::start(gso));
        });
    }
}

/// One receiver a hook.
struct Watch {
    /// Whether packets may be of many segments.
    gso: bool,
    by_hook: Vec<Running>,
}

impl Watch {
    fn start(gso: bool) -> Watch {
        let start = |hook| Running::start(own(hook, Transport::Auto));
        Watch { gso, by_hook: hooks().iter().map(|hook| start(*hook)).collect() }
    }

    /// All that each hook saw of the connections, which must have ended; it has been compared with the kernel's counters.
    fn finish(self) -> Vec<Finished> {
        wait_until_quiet();
        let finished = self.by_hook.into_iter().map(|running| {
            let seen = running.finish();
            seen.assert_balanced(retrans_segs());
            seen.assert_reasons();
            seen
        });
        finished.collect()
    }
}
