//! Each series begins with a zero, so that a backend sees the first increment.

use std::collections::BTreeSet;

use super::support::{
    Shown, Sums, by_port, changes, config, counted, failing, gap_of, of, of_port, totals, with_type,
};
use crate::fixtures::{gap, record};
use crate::processors::aggregate::{AggregateConfig, EVENTS, FAILURES, IO, RETRANSMITS};
use crate::record::{Amounts, Class, Flow, HandshakeRole, NetworkType, Record, RetransmitType, TcpState};

/// The series that a host can be expected to have, per IP version.
const EXPECTED: [&str; 19] = [
    "fast established",
    "fast fin_wait_1",
    "fast close_wait",
    "fast last_ack",
    "fast closing",
    "tail_loss_probe established",
    "tail_loss_probe fin_wait_1",
    "tail_loss_probe close_wait",
    "tail_loss_probe last_ack",
    "tail_loss_probe closing",
    "timeout established",
    "timeout fin_wait_1",
    "timeout close_wait",
    "timeout last_ack",
    "timeout closing",
    "unknown established",
    "unknown closed",
    "handshake client syn_sent",
    "handshake server syn_received",
];

#[test]
fn before_anything_happens_the_expected_series_are_zero() {
    let mut expected = Shown::new();
    for version in ["ipv4", "ipv6"] {
        for class in EXPECTED {
            for metric in [&RETRANSMITS, &EVENTS, &IO] {
                expected.insert((format!("tcp {version} {class}"), metric.name), vec![(100, 100, 0)]);
            }
        }
    }
    let mut sums = Sums::new(&config(), 100);
    let points = sums.report(100);
    assert_eq!(totals(&points), expected);
    assert_eq!(changes(&points), Shown::new());
    for values in expected.values_mut() {
        *values = vec![(100, 105, 0)];
    }
    assert_eq!(totals(&sums.report(105)), expected, "each report repeats them");
}

#[test]
fn series_that_are_not_expected_are_not_reported_as_zero() {
    let mut sums = Sums::expecting_nothing(&config(), 0);
    assert_eq!(sums.report(5), []);
    sums.add([record()]);
    let points = sums.report(10);
    assert_eq!(of(&totals(&points), "tcp ipv4 fast established", &EVENTS), [(5, 5, 0), (5, 10, 1)]);
    assert_eq!(totals(&points), counted(&points));
}

#[test]
fn the_records_of_the_expected_series_add_to_them() {
    use RetransmitType::{Fast, Handshake, TailLossProbe, Timeout, Unknown};
    let record_of = |retransmit_type, state| Record {
        flow: record().flow.map(|flow| Flow { state, ..flow }),
        ..with_type(record(), retransmit_type)
    };
    let handshake = |role, state| {
        let record = record_of(Handshake, state);
        Record { class: Class { handshake_role: Some(role), ..record.class }, ..record }
    };
    let mut records = vec![
        record_of(Unknown, TcpState::Established),
        record_of(Unknown, TcpState::Closed),
        handshake(HandshakeRole::Client, TcpState::SynSent),
        handshake(HandshakeRole::Server, TcpState::SynReceived),
    ];
    for reason in [Fast, TailLossProbe, Timeout] {
        use TcpState::{CloseWait, Closing, Established, FinWait1, LastAck};
        records.extend(
            [Established, FinWait1, CloseWait, LastAck, Closing].map(|state| record_of(reason, state)),
        );
    }
    let over_ipv6 = |record: Record| Record {
        class: Class { network_type: NetworkType::Ipv6, ..record.class },
        ..record
    };
    records.extend(records.clone().into_iter().map(over_ipv6));
    assert_eq!(records.iter().filter(|record| record.class.network_type == NetworkType::Ipv6).count(), 19);

    let mut sums = Sums::new(&config(), 0);
    let before: BTreeSet<_> = totals(&sums.report(0)).into_keys().collect();
    sums.add(records);
    let after = totals(&sums.report(5));
    assert_eq!(after.keys().cloned().collect::<BTreeSet<_>>(), before);
    assert!(after.values().all(|values| matches!(values[..], [(0, 5, 1..)])), "{after:?}");
}

#[test]
fn any_other_series_begins_with_a_zero_at_the_start_of_its_first_window() {
    let config = AggregateConfig { max_series: 1, ..by_port() };
    let mut sums = Sums::new(&config, 0);
    sums.report(0);
    sums.report(5);
    let failed = failing(of_port(2), 105);
    sums.add([of_port(1), failed]);
    sums.add([gap_of(Amounts { failures: 0, ..gap().amounts })]);
    let points = sums.report(10);
    let shown = counted(&points);
    for (series, metric, value) in [
        ("tcp ipv4 fast established 1", &RETRANSMITS, 2),
        ("tcp ipv4 fast established 1", &IO, 2896),
        ("true", &RETRANSMITS, 2),
        ("true", &FAILURES, 1),
        ("tcp ipv4 timeout", &EVENTS, 12),
    ] {
        assert_eq!(of(&shown, series, metric), [(5, 5, 0), (5, 10, value)], "{series}");
    }
    let changed = of(&changes(&points), "tcp ipv4 timeout", &EVENTS);
    assert_eq!(changed, [(5, 10, 12)], "a delta needs no zero");
    let next = counted(&sums.report(15));
    assert_eq!(of(&next, "tcp ipv4 timeout", &EVENTS), [(5, 15, 12)], "only the first report has the zero");
}

#[test]
fn a_sum_that_a_series_gets_later_has_the_start_of_the_series() {
    let mut sums = Sums::new(&config(), 0);
    sums.add([gap_of(Amounts { failures: 0, ..gap().amounts })]);
    sums.report(5);
    sums.add([gap()]);
    let shown = counted(&sums.report(10));
    assert_eq!(of(&shown, "tcp ipv4 timeout", &FAILURES), [(0, 5, 0), (0, 10, 1)]);
    assert_eq!(of(&shown, "tcp ipv4 timeout", &EVENTS), [(0, 10, 12 + 11)]);
}
