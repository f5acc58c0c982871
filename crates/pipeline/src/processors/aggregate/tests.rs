//! Sums, their start, their cap and their end. The clock is the test's.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::{AggregateConfig, Aggregator};
use crate::attribute::{Attribute, Key, OwnedValue};
use crate::config::Interval;
use crate::fixtures::{bundle, failed, gap, record, record_of, record_to, unseen};
use crate::metric::{Metric, MetricPoint, Temporality};
use crate::record::{Amounts, Class, HandshakeRole, Record, RetransmitType};

const SECOND: u64 = 1_000_000_000;

/// 5 s from one report to the next; series are idle after 20 s.
fn config() -> AggregateConfig {
    AggregateConfig {
        interval: Interval::from_secs(5),
        max_idle: Interval::from_secs(20),
        ..AggregateConfig::default()
    }
}

fn delta() -> AggregateConfig {
    AggregateConfig { temporality: Temporality::Delta, ..config() }
}

fn of_port(port: u16) -> Record {
    record_to(([192, 0, 2, 7], port).into())
}

/// An attempt that the kernel did not count.
fn uncounted(failed: Record) -> Record {
    Record { amounts: Amounts { segments: 0, ..failed.amounts }, ..failed }
}

fn by_port() -> AggregateConfig {
    AggregateConfig { attributes: vec![Attribute::PeerPort.into()], ..config() }
}

/// Attributes and metric -> (start, time, value), times in seconds.
type Shown = BTreeMap<(String, &'static str), (u64, u64, u64)>;

fn shown(points: &[MetricPoint]) -> Shown {
    let shown: Shown = points
        .iter()
        .map(|point| {
            let labels: Vec<_> = point.attributes.iter().map(|(_, value)| value.to_string()).collect();
            let times = (point.start_unix_nano / SECOND, point.time_unix_nano / SECOND);
            ((labels.join(" "), point.metric.name()), (times.0, times.1, point.value))
        })
        .collect();
    assert_eq!(shown.len(), points.len(), "a series is reported once");
    shown
}

fn sum(points: &[MetricPoint], metric: Metric) -> u64 {
    points.iter().filter(|point| point.metric == metric).map(|point| point.value).sum()
}

fn values(points: &[MetricPoint], metric: Metric) -> Vec<(u64, u64, u64)> {
    let of = points.iter().filter(|point| point.metric == metric);
    of.map(|p| (p.start_unix_nano / SECOND, p.time_unix_nano / SECOND, p.value)).collect()
}

#[test]
fn records_of_the_same_attributes_are_one_series() {
    let mut sums = Aggregator::new(&config(), 100 * SECOND);
    let amounts = Amounts { segments: 1, bytes: 10, ..record().amounts };
    let other = Record { amounts, ..record_of(RetransmitType::Timeout, Some(false)) };
    sums.add(&[record(), record(), other]);
    let (fast, timeout) = ("tcp ipv4 fast established".to_owned(), "tcp ipv4 timeout established".to_owned());
    let expected: Shown = [
        ((fast.clone(), "system.network.tcp.retransmits"), (100, 105, 4)),
        ((fast.clone(), "system.network.tcp.retransmit.events"), (100, 105, 2)),
        ((fast, "system.network.tcp.retransmit.io"), (100, 105, 5792)),
        ((timeout.clone(), "system.network.tcp.retransmits"), (100, 105, 1)),
        ((timeout.clone(), "system.network.tcp.retransmit.events"), (100, 105, 1)),
        ((timeout, "system.network.tcp.retransmit.io"), (100, 105, 10)),
    ]
    .into();
    assert_eq!(shown(&sums.report(105 * SECOND)), expected);
}

#[test]
fn points_come_metric_by_metric_with_the_configured_attributes() {
    let config = AggregateConfig { attributes: vec![Attribute::PeerAddress.into()], ..config() };
    let mut sums = Aggregator::new(&config, 0);
    let class = Class { handshake_role: Some(HandshakeRole::Client), ..record().class };
    sums.add(&[record(), Record { class, ..record() }]);
    let points = sums.report(SECOND);
    assert!(points.is_sorted_by_key(|point| point.metric));
    let peer = (Attribute::PeerAddress.into(), OwnedValue::Address([192, 0, 2, 7].into()));
    assert!(points.iter().all(|point| point.attributes.last() == Some(&peer)));
    let roles = points.iter().filter(|p| p.attributes.iter().any(|a| a.0 == Attribute::HandshakeRole.into()));
    assert_eq!(roles.count(), 3, "the role is there where a record has it");
}

/// No processor finds attributes yet, so configuration can't name one.
#[test]
fn what_a_processor_found_may_stand_on_a_series() {
    let key = Key::Found("service.name".into());
    let config = AggregateConfig { attributes: vec![key.clone()], ..config() };
    assert_eq!(config.validate(), []);
    let mut sums = Aggregator::new(&config, 0);
    let of = |service| Record { local_attributes: Some(bundle([("service.name", service)])), ..record() };
    sums.add(&[of("shop"), record(), of("bank"), of("shop")]);
    let points = sums.report(SECOND);
    let events = points.iter().filter(|point| point.metric == Metric::Events);
    let service = |point: &MetricPoint| {
        let mut found = point.attributes.iter().filter(|(named, _)| *named == key);
        found.next().map(|(_, value)| value.to_string())
    };
    let mut events: Vec<_> = events.map(|point| (service(point), point.value)).collect();
    events.sort();
    assert_eq!(events, [(None, 1), (Some("bank".to_owned()), 1), (Some("shop".to_owned()), 2)]);
}

#[test]
fn failures_the_kernel_did_not_count_are_failures_only() {
    let mut sums = Aggregator::new(&config(), 0);
    let failed = uncounted(failed(16));
    sums.add(&[record(), failed.clone(), failed]);
    let points = sums.report(SECOND);
    assert_eq!(sum(&points, Metric::Retransmits), 2);
    assert_eq!(sum(&points, Metric::Events), 1);
    let failures: Vec<_> = points.iter().filter(|point| point.metric == Metric::Failures).collect();
    assert_eq!((failures.len(), failures[0].value), (1, 2));
    let error = (Attribute::ErrorType.into(), OwnedValue::Errno(16));
    assert!(failures[0].attributes.contains(&error));
    assert_eq!(points.len(), 4, "no zero points beside them");
}

#[test]
fn failures_the_kernel_counted_are_in_its_segments_and_in_ours() {
    let mut sums = Aggregator::new(&config(), 0);
    sums.add(&[record(), failed(105)]);
    let points = sums.report(SECOND);
    assert_eq!(sum(&points, Metric::Retransmits), 4);
    assert_eq!((sum(&points, Metric::Events), sum(&points, Metric::Failures)), (1, 1));
    let error = (Attribute::ErrorType.into(), OwnedValue::Errno(105));
    let of_error = points.iter().filter(|point| point.attributes.contains(&error));
    let of_error: Vec<_> = of_error.map(|point| (point.metric, point.value)).collect();
    assert_eq!(of_error, [(Metric::Retransmits, 2), (Metric::Failures, 1)]);
}

#[test]
fn a_gap_is_in_the_sums_of_its_attributes() {
    let mut sums = Aggregator::new(&config(), 0);
    let slow = Class { slow_start: Some(true), ..gap().class };
    let syn = Class {
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Client),
        slow_start: None,
        ..gap().class
    };
    let syns = Amounts { failures: 0, bytes: 0, ..gap().amounts };
    sums.add(&[gap(), Record { class: slow, ..gap() }, Record { class: syn, amounts: syns, ..gap() }]);
    let (timeout, syn) = ("tcp ipv4 timeout".to_owned(), "tcp ipv4 handshake client".to_owned());
    let expected: Shown = [
        ((timeout.clone(), "system.network.tcp.retransmits"), (0, 1, 400)),
        ((timeout.clone(), "system.network.tcp.retransmit.events"), (0, 1, 22)),
        ((timeout.clone(), "system.network.tcp.retransmit.io"), (0, 1, 579_200)),
        ((timeout, "system.network.tcp.retransmit.failures"), (0, 1, 2)),
        ((syn.clone(), "system.network.tcp.retransmits"), (0, 1, 200)),
        ((syn.clone(), "system.network.tcp.retransmit.events"), (0, 1, 12)),
        ((syn, "system.network.tcp.retransmit.io"), (0, 1, 0)),
    ]
    .into();
    assert_eq!(shown(&sums.report(SECOND)), expected);
}

#[test]
fn a_gap_makes_no_point_of_what_it_lacks() {
    let nothing = Amounts::default();
    for (amounts, expected) in [
        (nothing, &[][..]),
        (Amounts { segments: 3, ..nothing }, &[(Metric::Retransmits, 3)]),
        (Amounts { events: 2, failures: 2, ..nothing }, &[(Metric::Failures, 2)]),
        (
            Amounts { events: 2, segments: 4, failures: 2, ..nothing },
            &[(Metric::Retransmits, 4), (Metric::Failures, 2)],
        ),
    ] {
        let mut sums = Aggregator::new(&config(), 0);
        sums.add(&[Record { amounts, ..gap() }]);
        let points: Vec<_> = sums.report(SECOND).iter().map(|point| (point.metric, point.value)).collect();
        assert_eq!(points, expected);
    }
}

#[test]
fn what_was_found_without_its_skb_is_segments_and_no_event() {
    let mut sums = Aggregator::new(&config(), 0);
    sums.add(&[unseen()]);
    let series = "tcp ipv4 unknown established".to_owned();
    let expected: Shown = [((series, "system.network.tcp.retransmits"), (0, 1, 2))].into();
    assert_eq!(shown(&sums.report(SECOND)), expected);
}

#[test]
fn cumulative_series_keep_their_start_and_are_repeated() {
    let mut sums = Aggregator::new(&by_port(), 0);
    sums.add(&[of_port(80)]);
    assert_eq!(values(&sums.report(5 * SECOND), Metric::Events), [(0, 5, 1)]);
    sums.add(&[of_port(443)]);
    let mut second = values(&sums.report(10 * SECOND), Metric::Events);
    second.sort();
    assert_eq!(second, [(0, 10, 1), (5, 10, 1)], "a new one starts with its first window");
    sums.add(&[of_port(80)]);
    let mut third = values(&sums.report(15 * SECOND), Metric::Events);
    third.sort();
    assert_eq!(third, [(0, 15, 2), (5, 15, 1)]);
}

#[test]
fn delta_series_start_anew_and_only_changes_are_reported() {
    let mut sums = Aggregator::new(&delta(), 0);
    sums.add(&[record(), record()]);
    let first = sums.report(5 * SECOND);
    assert_eq!(values(&first, Metric::Events), [(0, 5, 2)]);
    assert!(first.iter().all(|point| point.temporality == Temporality::Delta));
    assert_eq!(sums.report(10 * SECOND), []);
    sums.add(&[record()]);
    assert_eq!(values(&sums.report(15 * SECOND), Metric::Events), [(10, 15, 1)]);
}

#[test]
fn what_exceeds_the_cap_goes_to_the_overflow_series() {
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let config = AggregateConfig { max_series: 3, temporality, ..by_port() };
        let mut sums = Aggregator::new(&config, 0);
        let mut records: Vec<_> = (1..=10).map(of_port).collect();
        records.push(uncounted(failed(16)));
        // Known series go on counting while others overflow.
        records.extend((1..=3).map(of_port));
        sums.add(&records);
        let points = sums.report(SECOND);
        assert_eq!(sum(&points, Metric::Events), 13);
        assert_eq!(sum(&points, Metric::Retransmits), 26);
        assert_eq!(sum(&points, Metric::Io), 13 * 2896);
        assert_eq!(sum(&points, Metric::Failures), 1);
        let overflow: Vec<_> =
            points.iter().filter(|point| point.attributes[0].0 == Attribute::MetricOverflow.into()).collect();
        assert!(overflow.iter().all(|point| {
            *point.attributes == [(Attribute::MetricOverflow.into(), OwnedValue::Bool(true))]
        }));
        let values: Vec<_> = overflow.iter().map(|point| (point.metric, point.value)).collect();
        assert_eq!(
            values,
            [(Metric::Retransmits, 14), (Metric::Events, 7), (Metric::Io, 7 * 2896), (Metric::Failures, 1)]
        );
        assert_eq!(points.iter().filter(|point| point.metric == Metric::Events).count(), 3 + 1);
    }
}

#[test]
fn idle_series_make_room() {
    let mut sums = Aggregator::new(&AggregateConfig { max_series: 1, ..by_port() }, 0);
    sums.add(&[of_port(1)]);
    for window in 1..=4 {
        assert_eq!(values(&sums.report(5 * window * SECOND), Metric::Events), [(0, 5 * window, 1)]);
    }
    assert_eq!(sums.report(25 * SECOND), [], "unchanged since 5 s");
    sums.add(&[of_port(2)]);
    let shown = shown(&sums.report(30 * SECOND));
    let key = ("tcp ipv4 fast established 2".to_owned(), "system.network.tcp.retransmit.events");
    assert_eq!(shown[&key], (25, 30, 1), "no overflow");
    sums.add(&[of_port(1)]);
    let points = sums.report(35 * SECOND);
    assert_eq!(sum(&points, Metric::Events), 2, "now it is full");
    assert!(points.iter().any(|point| point.attributes[0].0 == Attribute::MetricOverflow.into()));
}

#[test]
fn the_overflow_series_takes_nobodys_place() {
    let mut sums = Aggregator::new(&AggregateConfig { max_series: 2, ..by_port() }, 0);
    sums.add(&[of_port(1), of_port(2), of_port(3)]);
    for window in 1..=5 {
        // The first series idles, the second and the overflow live on.
        sums.add(&[of_port(2), of_port(3)]);
        sums.report(5 * window * SECOND);
    }
    sums.add(&[of_port(4), of_port(5)]);
    let shown = shown(&sums.report(30 * SECOND));
    let events = |port: &str| {
        let key = (format!("tcp ipv4 fast established {port}"), "system.network.tcp.retransmit.events");
        shown.get(&key).copied()
    };
    assert_eq!((events("1"), events("4"), events("5")), (None, Some((25, 30, 1)), None));
    assert_eq!(shown[&("true".to_owned(), "system.network.tcp.retransmit.events")], (0, 30, 7));
}

#[test]
fn a_series_that_changes_again_lives_on() {
    let mut sums = Aggregator::new(&config(), 0);
    for window in 1..=10 {
        if window % 3 == 1 {
            sums.add(&[record()]);
        }
        assert_eq!(values(&sums.report(5 * window * SECOND), Metric::Events)[0].0, 0, "window {window}");
    }
}

#[test]
fn a_series_that_returns_after_its_end_has_a_new_start() {
    let mut sums = Aggregator::new(&config(), 0);
    sums.add(&[record()]);
    sums.report(5 * SECOND);
    assert_eq!(sums.report(60 * SECOND), []);
    sums.add(&[record()]);
    assert_eq!(values(&sums.report(65 * SECOND), Metric::Events), [(60, 65, 1)]);
}

#[test]
fn a_clock_set_back_gives_no_point_that_ends_before_it_starts() {
    let mut sums = Aggregator::new(&config(), 1000 * SECOND);
    sums.add(&[record()]);
    sums.report(1005 * SECOND);
    sums.add(&[record()]);
    assert_eq!(values(&sums.report(500 * SECOND), Metric::Events), [(500, 500, 2)], "nothing is lost");
    sums.add(&[record()]);
    assert_eq!(values(&sums.report(505 * SECOND), Metric::Events), [(500, 505, 3)]);
    let late = sums.report(520 * SECOND);
    assert_eq!(values(&late, Metric::Events), [(500, 520, 3)], "idle time is counted from the new clock");
    assert_eq!(sums.report(525 * SECOND), []);
}

#[test]
fn configuration() {
    let defaults: AggregateConfig = serde_yaml::from_str("{}").unwrap();
    assert_eq!(defaults, AggregateConfig::default());
    assert!(defaults.validate().is_empty());
    let written = "interval: 10s\nattributes: []\nmax_series: 2000\ntemporality: cumulative\nmax_idle: 15m\n";
    assert_eq!(serde_yaml::to_string(&defaults).unwrap(), written);
    let yaml = "{ attributes: [network.peer.address, network.local.port, tcp.flags], temporality: delta }";
    let config: AggregateConfig = serde_yaml::from_str(yaml).unwrap();
    assert!(config.validate().is_empty());
    let error = serde_yaml::from_str::<AggregateConfig>("attributes: [network.peer.adress]").unwrap_err();
    assert!(error.to_string().contains("did you mean `network.peer.address`?"), "{error}");
}

#[test]
fn unsuitable_attributes_are_problems() {
    let attributes = [
        "tcp.seq",
        "tcp.rtt",
        "tcp.cwnd",
        "tcp.events",
        "tcp.segments",
        "tcp.bytes",
        "tcp.total_retransmits",
        "otel.metric.overflow",
        "network.transport",
        "network.type",
        "network.tcp.retransmit.type",
        "network.tcp.handshake.role",
        "network.connection.state",
        "error.type",
    ];
    let config = AggregateConfig {
        attributes: attributes.iter().map(|name| name.parse().unwrap()).collect(),
        ..AggregateConfig::default()
    };
    let problems = config.validate();
    assert_eq!(problems.len(), attributes.len(), "{problems:?}");
    for (index, (problem, name)) in problems.iter().zip(attributes).enumerate() {
        assert_eq!(problem.path, format!("attributes.{index}"));
        assert!(problem.message.starts_with(&format!("{name} is ")), "{}", problem.message);
        assert!(problem.message.contains("expected any of network.local.address, "), "{}", problem.message);
    }
    let twice = AggregateConfig { attributes: vec![Attribute::Mss.into(); 2], ..AggregateConfig::default() };
    assert_eq!(twice.validate()[0].path, "attributes.1");
}

#[test]
fn nonsense_is_a_problem() {
    let wrong = AggregateConfig {
        interval: Interval::ZERO,
        max_series: 0,
        max_idle: Interval::from_secs(1),
        ..AggregateConfig::default()
    };
    let paths: Vec<_> = wrong.validate().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["interval", "max_series"]);
    let hasty = AggregateConfig { max_idle: Interval::from_secs(1), ..AggregateConfig::default() };
    assert_eq!(hasty.validate()[0].path, "max_idle");
}
