//! What each record adds, and to which series.

use super::support::{Shown, Sums, config, counted, failing, gap_of, of, sum, totals, uncounted, with_type};
use crate::attribute::{Attribute, Key, OwnedValue};
use crate::fixtures::{bundle, failed, gap, record, unseen};
use crate::metric::MetricPoint;
use crate::processors::aggregate::metrics::METRICS;
use crate::processors::aggregate::{AggregateConfig, EVENTS, FAILURES, IO, RETRANSMITS, RTT};
use crate::record::{Amounts, Class, HandshakeRole, Record, RetransmitType, TcpSample};

#[test]
fn records_of_the_same_attributes_are_one_series() {
    let mut sums = Sums::new(&config(), 100);
    let amounts = Amounts { segments: 1, bytes: 10, ..record().amounts };
    let other = with_type(Record { amounts, ..record() }, RetransmitType::Timeout);
    sums.report(100);
    sums.add([record(), record(), other]);
    let (fast, timeout) = ("tcp ipv4 fast established".to_owned(), "tcp ipv4 timeout established".to_owned());
    let expected: Shown = [
        ((fast.clone(), RETRANSMITS.name), vec![(100, 105, 4)]),
        ((fast.clone(), EVENTS.name), vec![(100, 105, 2)]),
        ((fast, IO.name), vec![(100, 105, 5792)]),
        ((timeout.clone(), RETRANSMITS.name), vec![(100, 105, 1)]),
        ((timeout.clone(), EVENTS.name), vec![(100, 105, 1)]),
        ((timeout, IO.name), vec![(100, 105, 10)]),
    ]
    .into();
    assert_eq!(counted(&sums.report(105)), expected);
}

#[test]
fn points_come_metric_by_metric_with_the_configured_attributes() {
    let config = AggregateConfig { attributes: vec![Attribute::PeerAddress.into()], ..config() };
    let mut sums = Sums::new(&config, 0);
    let role = Some(HandshakeRole::Client);
    let syn = Record { class: Class { handshake_role: role, ..record().class }, ..record() };
    sums.add([record(), syn, failed(16)]);
    let points = sums.report(1);
    assert!(points.is_sorted_by_key(|point| METRICS.iter().position(|metric| *metric == point.descriptor)));
    let counted: Vec<_> = points.iter().filter(|point| point.total.value > 0).collect();
    assert_eq!(counted.len(), 3 + 3 + 2);
    let peer = (Attribute::PeerAddress.into(), OwnedValue::Address([192, 0, 2, 7].into()));
    assert!(counted.iter().all(|point| point.attributes.last() == Some(&peer)));
    let roles =
        counted.iter().filter(|p| p.attributes.iter().any(|a| a.0 == Attribute::HandshakeRole.into()));
    assert_eq!(roles.count(), 3, "a point has a role if its records have one");
}

#[test]
fn failures_the_kernel_did_not_count_are_failures_only() {
    let mut sums = Sums::new(&config(), 0);
    let failed = uncounted(record(), 16);
    sums.add([record(), failed.clone(), failed]);
    let (sent, failed) = ("tcp ipv4 fast established", "tcp ipv4 fast established EBUSY");
    let expected: Shown = [
        ((sent.to_owned(), RETRANSMITS.name), vec![(0, 0, 0), (0, 1, 2)]),
        ((sent.to_owned(), EVENTS.name), vec![(0, 0, 0), (0, 1, 1)]),
        ((sent.to_owned(), IO.name), vec![(0, 0, 0), (0, 1, 2896)]),
        ((failed.to_owned(), FAILURES.name), vec![(0, 0, 0), (0, 1, 2)]),
    ]
    .into();
    assert_eq!(counted(&sums.report(1)), expected);
}

#[test]
fn failures_the_kernel_counted_are_in_its_segments_and_in_ours() {
    let mut sums = Sums::new(&config(), 0);
    sums.add([record(), failing(record(), 105)]);
    let points = sums.report(1);
    assert_eq!(sum(&points, &RETRANSMITS), 4);
    assert_eq!((sum(&points, &EVENTS), sum(&points, &FAILURES)), (1, 1));
    let error = (Attribute::ErrorType.into(), OwnedValue::Errno(105));
    let of_error = points.iter().filter(|point| point.attributes.contains(&error));
    let of_error: Vec<_> = of_error.map(|point| (point.descriptor, point.total.value)).collect();
    assert_eq!(of_error, [(&RETRANSMITS, 0), (&RETRANSMITS, 2), (&FAILURES, 0), (&FAILURES, 1)]);
}

#[test]
fn a_gap_is_in_the_sums_of_its_attributes() {
    let mut sums = Sums::new(&config(), 0);
    let class = Class {
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Client),
        slow_start: None,
        ..gap().class
    };
    let syns = Record { class, ..gap_of(Amounts { bytes: 0, failures: 0, ..gap().amounts }) };
    let slow_start = Record { class: Class { slow_start: Some(true), ..gap().class }, ..gap() };
    sums.add([gap(), slow_start, syns]);
    let points = sums.report(1);
    let (timeout, syn) = ("tcp ipv4 timeout".to_owned(), "tcp ipv4 handshake client".to_owned());
    let expected: Shown = [
        ((timeout.clone(), RETRANSMITS.name), vec![(0, 0, 0), (0, 1, 400)]),
        ((timeout.clone(), EVENTS.name), vec![(0, 0, 0), (0, 1, 22)]),
        ((timeout.clone(), IO.name), vec![(0, 0, 0), (0, 1, 579_200)]),
        ((timeout, FAILURES.name), vec![(0, 0, 0), (0, 1, 2)]),
        ((syn.clone(), RETRANSMITS.name), vec![(0, 0, 0), (0, 1, 200)]),
        ((syn.clone(), EVENTS.name), vec![(0, 0, 0), (0, 1, 12)]),
    ]
    .into();
    assert_eq!(counted(&points), expected);
    let io = of(&totals(&points), &syn, &IO);
    assert_eq!(io, [(0, 1, 0)], "a sum that is 0 needs no zero before it");
}

#[test]
fn a_gap_adds_nothing_to_a_metric_whose_amount_it_lacks() {
    let nothing = Amounts::default();
    for (amounts, expected) in [
        (nothing, &[][..]),
        (Amounts { segments: 3, ..nothing }, &[(&RETRANSMITS, 3)]),
        (Amounts { events: 2, failures: 2, ..nothing }, &[(&FAILURES, 2)]),
        (Amounts { events: 2, segments: 4, failures: 2, ..nothing }, &[(&RETRANSMITS, 4), (&FAILURES, 2)]),
    ] {
        let mut sums = Sums::new(&config(), 0);
        let zeros = sums.report(0).len();
        sums.add([gap_of(amounts)]);
        let points = sums.report(1);
        let of_gap = points.iter().filter(|point| point.total.value > 0);
        let of_gap: Vec<_> = of_gap.map(|point| (point.descriptor, point.total.value)).collect();
        assert_eq!(of_gap, expected);
        assert_eq!(points.len(), zeros + 2 * expected.len(), "each has a zero before it");
    }
}

#[test]
fn segments_found_without_their_skb_are_no_event() {
    let mut sums = Sums::new(&config(), 0);
    sums.report(0);
    sums.add([unseen()]);
    let series = "tcp ipv4 unknown established".to_owned();
    let expected: Shown = [((series, RETRANSMITS.name), vec![(0, 1, 2)])].into();
    assert_eq!(counted(&sums.report(1)), expected);
}

#[test]
fn an_attribute_that_a_processor_found_may_be_added() {
    let key = Key::Found("service.name".into());
    let config = AggregateConfig { attributes: vec![key.clone()], ..config() };
    assert_eq!(config.validate(), []);
    let mut sums = Sums::expecting_nothing(&config, 0);
    let of = |service| Record { local_attributes: Some(bundle([("service.name", service)])), ..record() };
    sums.add([of("shop"), record(), of("bank"), of("shop")]);
    let points = sums.report(1);
    let events = points.iter().filter(|point| point.descriptor == &EVENTS && point.total.value > 0);
    let service = |point: &MetricPoint| {
        let mut found = point.attributes.iter().filter(|(named, _)| *named == key);
        found.next().map(|(_, value)| value.to_string())
    };
    let mut events: Vec<_> = events.map(|point| (service(point), point.total.value)).collect();
    events.sort();
    assert_eq!(events, [(None, 1), (Some("bank".to_owned()), 1), (Some("shop".to_owned()), 2)]);
}

#[test]
fn round_trip_times_are_added_up_where_they_are_configured() {
    let rtt = record().tcp.and_then(|tcp| tcp.rtt).expect("a round-trip time");
    let unknown = Record { tcp: record().tcp.map(|tcp| TcpSample { rtt: None, ..tcp }), ..record() };
    let records = || [record(), record(), unknown.clone(), failed(16), unseen(), gap()];
    for (with_rtt, expected) in [(true, 2 * rtt.as_micros() as u64), (false, 0)] {
        let mut sums = Sums::new(&AggregateConfig { rtt: with_rtt, ..config() }, 0);
        let zeros = sums.report(0).iter().filter(|point| point.descriptor == &RTT).count();
        sums.add(records());
        assert_eq!(sum(&sums.report(1), &RTT), expected);
        assert_eq!(zeros > 0, with_rtt, "so that a rate has the first of them");
    }
    assert_eq!(RTT.kind.number(1_500_000).to_string(), "1.5", "seconds");
}
