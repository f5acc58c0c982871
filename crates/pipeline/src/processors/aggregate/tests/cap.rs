//! The largest number of series.

use super::support::{Sums, by_port, config, counted, delta, of, of_port, sum, uncounted, with_type};
use crate::attribute::{Attribute, OwnedValue};
use crate::fixtures::{gap, record};
use crate::metric::MetricPoint;
use crate::processors::aggregate::{AggregateConfig, EVENTS, FAILURES, IO, RETRANSMITS};
use crate::record::RetransmitType;

fn is_overflow(point: &MetricPoint) -> bool {
    *point.attributes == [(Attribute::MetricOverflow.into(), OwnedValue::Bool(true))]
}

#[test]
fn records_beyond_the_cap_go_to_the_overflow_series() {
    for temporality in [config().temporality, delta().temporality] {
        let config = AggregateConfig { max_series: 3, temporality, ..by_port() };
        let mut sums = Sums::new(&config, 0);
        let mut records: Vec<_> = (1..=10).map(of_port).collect();
        records.push(uncounted(of_port(11), 16));
        // Known series still grow while other records overflow.
        records.extend((1..=3).map(of_port));
        sums.add(records);
        let points = sums.report(1);
        assert_eq!(sum(&points, &EVENTS), 13);
        assert_eq!(sum(&points, &RETRANSMITS), 26);
        assert_eq!(sum(&points, &IO), 13 * 2896);
        assert_eq!(sum(&points, &FAILURES), 1);
        let overflow = points.iter().filter(|point| is_overflow(point) && point.total.value > 0);
        let values: Vec<_> = overflow.map(|point| (point.descriptor, point.total.value)).collect();
        assert_eq!(values, [(&RETRANSMITS, 14), (&EVENTS, 7), (&IO, 7 * 2896), (&FAILURES, 1)]);
        let named = points.iter().filter(|point| point.descriptor == &EVENTS && point.total.value > 0);
        assert_eq!(named.count(), 3 + 1);
    }
}

#[test]
fn series_without_added_attributes_do_not_count_against_the_cap() {
    let mut sums = Sums::new(&AggregateConfig { max_series: 1, ..by_port() }, 0);
    let timeout = || with_type(of_port(1), RetransmitType::Timeout);
    sums.add([gap()]);
    sums.add([timeout()]);
    let shown = counted(&sums.report(5));
    assert_eq!(of(&shown, "tcp ipv4 timeout", &RETRANSMITS), [(0, 0, 0), (0, 5, 200)]);
    assert_eq!(of(&shown, "tcp ipv4 timeout established 1", &RETRANSMITS), [(0, 0, 0), (0, 5, 2)]);

    let mut sums = Sums::new(&AggregateConfig { max_series: 1, ..config() }, 0);
    sums.add([record(), timeout(), uncounted(timeout(), 16)]);
    assert!(!sums.report(5).iter().any(is_overflow));
}

#[test]
fn idle_series_make_room() {
    let mut sums = Sums::new(&AggregateConfig { max_series: 1, ..by_port() }, 0);
    let of = |points: &[MetricPoint], port: &str| {
        of(&counted(points), &format!("tcp ipv4 fast established {port}"), &EVENTS)
    };
    sums.add([of_port(1)]);
    assert_eq!(of(&sums.report(5), "1"), [(0, 0, 0), (0, 5, 1)]);
    for window in 2..=4 {
        assert_eq!(of(&sums.report(5 * window), "1"), [(0, 5 * window, 1)]);
    }
    assert_eq!(of(&sums.report(25), "1"), [], "unchanged since 5 s");
    sums.add([of_port(2)]);
    let points = sums.report(30);
    assert_eq!(of(&points, "2"), [(25, 25, 0), (25, 30, 1)]);
    assert!(!points.iter().any(is_overflow));
    sums.add([of_port(1)]);
    let points = sums.report(35);
    assert_eq!(sum(&points, &EVENTS), 3);
    assert_eq!(of(&points, "1"), [], "now there is no room for it");
    assert!(points.iter().any(|point| is_overflow(point) && point.total.value == 1));
}

#[test]
fn the_overflow_series_does_not_count_against_the_cap() {
    let mut sums = Sums::new(&AggregateConfig { max_series: 2, ..by_port() }, 0);
    sums.add([of_port(1), of_port(2), of_port(3)]);
    for window in 1..=5 {
        // The first series is idle. The second and the overflow series are not.
        sums.add([of_port(2), of_port(3)]);
        sums.report(5 * window);
    }
    sums.add([of_port(4), of_port(5)]);
    let shown = counted(&sums.report(30));
    let events = |port: &str| of(&shown, &format!("tcp ipv4 fast established {port}"), &EVENTS);
    assert_eq!((events("1"), events("4"), events("5")), (vec![], vec![(25, 25, 0), (25, 30, 1)], vec![]));
    assert_eq!(of(&shown, "true", &EVENTS), [(0, 30, 7)]);
}

#[test]
fn under_delta_the_cap_starts_anew_with_each_window() {
    let config = AggregateConfig { max_series: 1, attributes: by_port().attributes, ..delta() };
    let mut sums = Sums::new(&config, 0);
    for port in 1..=3 {
        sums.add([of_port(port), of_port(port + 100)]);
        let now = 5 * u64::from(port);
        let shown = super::support::changes(&sums.report(now));
        let own = of(&shown, &format!("tcp ipv4 fast established {port}"), &EVENTS);
        assert_eq!(own, [(now - 5, now, 1)]);
        assert_eq!(of(&shown, "true", &EVENTS), [(now - 5, now, 1)]);
    }
}
