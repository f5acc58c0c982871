//! Segments of established connections.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use otel_tcpretrans_pipeline::record::{Record, RetransmitType};

use super::pair::{Pair, Way};
use super::{PATIENCE, Watch};
use crate::running::{flow, segment, tcp};
use crate::support::namespace::{mib, netstat, retrans_segs, wait_for};
use crate::support::traffic::{lose_one_in, scaled};

/// Room for it is in any initial window.
const WINDOW: usize = 8 << 10;

/// `TCP_RTO_MIN`.
const MIN_TIMEOUT: Duration = Duration::from_millis(200);

/// The longest there is, of 100 Hz.
const TICK: Duration = Duration::from_millis(10);

fn connect(ways: &[Way]) -> Vec<Pair> {
    ways.iter().copied().map(Pair::connect).collect()
}

/// One packet in ten at random, all the time.
pub fn steady_loss(ways: &[Way], watch: Watch) {
    let bytes = scaled(3 << 20);
    thread::scope(|scope| {
        for pair in connect(ways) {
            lose_one_in(&pair.server, 10);
            scope.spawn(move || {
                let receiver = thread::spawn(move || {
                    let mut all = Vec::new();
                    (&pair.server).read_to_end(&mut all).expect("read");
                    all.len()
                });
                (&pair.client).write_all(&vec![7; bytes]).expect("write");
                pair.client.shutdown(Shutdown::Write).expect("shutdown");
                assert_eq!(receiver.join().expect("receiver"), bytes);
            });
        }
    });
    let gso = watch.gso;
    let seen = watch.finish();
    // The loss is random. Where the traffic is made less, 12 segments have been seen instead of a hundred.
    assert!(retrans_segs() > scaled(100) as u64 / 4, "{} segments sent again are no test", retrans_segs());
    for seen in seen {
        let fast = seen.segments(|record| record.class.retransmit_type == RetransmitType::Fast);
        assert!(fast > 0);
        let is_large = |record: &Record| segment(record).payload_bytes > tcp(record).mss;
        assert_eq!(seen.records.iter().any(|record| !record.is_gap() && is_large(record)), gso);
    }
}

/// A whole window at once, then nothing. The probe is lost as well, and the timer's first.
pub fn a_burst(ways: &[Way], watch: Watch) {
    let pairs = connect(ways);
    for pair in &pairs {
        pair.shut();
        pair.send(WINDOW);
    }
    let connections = ways.len() as u64;
    wait_for("a timeout of each", PATIENCE, || netstat("TCPTimeouts") >= connections);
    pairs.iter().for_each(Pair::open);
    for pair in pairs {
        pair.receive(WINDOW);
        pair.end();
    }
    for seen in watch.finish() {
        // The head by the timer, all else in the slow start after it.
        assert!(seen.segments(slow_start) + seen.shortage() >= connections);
    }
}

/// The last segment of a transfer: its probe gets through, and nothing else is sent again.
pub fn the_last_segment_lost(ways: &[Way], watch: Watch) {
    let pairs = connect(ways);
    let connections = ways.len() as u64;
    let arrived = || mib("snmp", "Tcp", "InSegs"); // dropped ones as well
    pairs.iter().for_each(Pair::shut);
    let before = arrived();
    pairs.iter().for_each(|pair| pair.send(1));
    wait_for("the segments", PATIENCE, || arrived() >= before + connections);
    pairs.iter().for_each(Pair::open);
    wait_for("a probe of each", PATIENCE, || netstat("TCPLossProbes") >= connections);
    for pair in pairs {
        pair.receive(1);
        pair.end();
    }
    let (probes, timeouts) = (netstat("TCPLossProbes"), netstat("TCPTimeouts"));
    println!("    TCPLossProbes {probes}, TCPTimeouts {timeouts}");
    for seen in watch.finish() {
        let probed = seen.segments(|record| record.class.retransmit_type == RetransmitType::TailLossProbe);
        assert!(probed <= probes && probed + seen.shortage() >= probes, "{probed} of {probes}");
        let others =
            seen.told().filter(|record| record.class.retransmit_type != RetransmitType::TailLossProbe);
        // Where the machine stood still for 200 ms before the receivers opened, the probe was lost as well.
        assert!(timeouts > 0 || others.count() == 0, "{:?}", seen.records);
    }
}

/// Nothing gets through any more: the timer's own retransmissions, one segment each, at growing distances.
pub fn a_dead_peer(ways: &[Way], watch: Watch) {
    let pairs = connect(ways);
    for pair in &pairs {
        pair.shut();
        pair.send(WINDOW);
    }
    let timeouts = || netstat("TCPTimeouts");
    // All were sent at about the same moment, and so the third of each comes before a fourth.
    wait_for("three timeouts of each", PATIENCE, || timeouts() >= 3 * ways.len() as u64);
    let connections: Vec<_> = pairs.iter().map(|pair| (pair.way, pair.ends())).collect();
    pairs.into_iter().for_each(Pair::abort);
    let timeouts = timeouts();
    for seen in watch.finish() {
        let own = |record: &Record| record.class.retransmit_type == RetransmitType::Timeout;
        let sent = seen.segments(|record| own(record) && !slow_start(record));
        assert!(sent <= timeouts && sent + seen.shortage() >= timeouts, "{sent} of {timeouts}");
        assert_eq!(seen.segments(slow_start), 0);
        for (way, ends) in &connections {
            let of = seen.told().filter(|record| (flow(record).local, flow(record).peer) == *ends);
            let (timer, probes): (Vec<&Record>, Vec<_>) = of.partition(|record| own(record));
            for probe in &probes {
                assert_eq!(probe.class.retransmit_type, RetransmitType::TailLossProbe, "{way:?}");
            }
            if seen.shortage() > 0 {
                continue; // one between two others may be missing
            }
            assert!(probes.len() == 1 && timer.len() >= 3, "{way:?}: {} and {timer:?}", probes.len());
            let times: Vec<_> =
                timer.iter().map(|record| Duration::from_nanos(record.time_unix_nano)).collect();
            let mut least = 2 * MIN_TIMEOUT;
            for pair in times.windows(2) {
                // A timer may be late, where the machine is busy, and is never early but for a tick's rounding.
                assert!(pair[1] - pair[0] > least - TICK, "{way:?}: no exponential backoff: {times:?}");
                least *= 2;
            }
        }
    }
}

/// True for a timeout's record that the timer itself did not send.
fn slow_start(record: &Record) -> bool {
    record.class.slow_start == Some(true)
}
