//! When a series ends, and where its totals go.

use super::support::{
    Shown, Sums, Values, by_port, changes, config, counted, delta, of, of_port, sum, uncounted,
};
use crate::fixtures::record;
use crate::metric::MetricPoint;
use crate::metric::Temporality::Delta;
use crate::processors::aggregate::{AggregateConfig, EVENTS, FAILURES, IO, RETRANSMITS};

const BASE: &str = "tcp ipv4 fast established";

fn events(points: &[MetricPoint], series: &str) -> Values {
    of(&counted(points), series, &EVENTS)
}

#[test]
fn cumulative_series_keep_their_start_and_are_repeated() {
    let mut sums = Sums::new(&by_port(), 0);
    sums.add([of_port(80)]);
    let (http, https) = (format!("{BASE} 80"), format!("{BASE} 443"));
    assert_eq!(events(&sums.report(5), &http), [(0, 0, 0), (0, 5, 1)]);
    sums.add([of_port(443)]);
    let second = sums.report(10);
    assert_eq!(events(&second, &http), [(0, 10, 1)]);
    assert_eq!(events(&second, &https), [(5, 5, 0), (5, 10, 1)], "a new one starts with its first window");
    sums.add([of_port(80)]);
    let third = sums.report(15);
    assert_eq!((events(&third, &http), events(&third, &https)), (vec![(0, 15, 2)], vec![(5, 15, 1)]));
}

#[test]
fn deltas_are_the_changes_of_each_window() {
    let mut sums = Sums::new(&delta(), 0);
    sums.add([record(), record()]);
    let first = sums.report(5);
    assert_eq!(of(&changes(&first), BASE, &EVENTS), [(0, 5, 2)]);
    assert!(first.iter().all(|point| point.temporality == Delta));
    assert_eq!(changes(&sums.report(10)), Shown::new());
    sums.add([record()]);
    assert_eq!(of(&changes(&sums.report(15)), BASE, &EVENTS), [(10, 15, 1)]);
}

#[test]
fn a_series_without_added_attributes_never_ends() {
    let mut sums = Sums::new(&config(), 0);
    sums.add([record(), uncounted(record(), 16)]);
    sums.report(5);
    for now in [60, 3600, 1_000_000] {
        let points = sums.report(now);
        assert_eq!(events(&points, BASE), [(0, now, 1)]);
        assert_eq!(of(&counted(&points), &format!("{BASE} EBUSY"), &FAILURES), [(0, now, 1)]);
    }
}

#[test]
fn the_overflow_series_never_ends() {
    let mut sums = Sums::new(&AggregateConfig { max_series: 1, ..by_port() }, 0);
    sums.add([of_port(1), of_port(2)]);
    sums.report(5);
    assert_eq!(events(&sums.report(3600), "true"), [(0, 3600, 1)]);
}

#[test]
fn a_series_that_changes_again_does_not_end() {
    let mut sums = Sums::new(&by_port(), 0);
    for window in 1..=10 {
        if window % 3 == 1 {
            sums.add([of_port(80)]);
        }
        let points = events(&sums.report(5 * window), &format!("{BASE} 80"));
        assert!(points.last().is_some_and(|(start, ..)| *start == 0), "window {window}: {points:?}");
    }
}

#[test]
fn a_series_that_ends_goes_into_its_base_series() {
    let mut sums = Sums::new(&by_port(), 0);
    sums.report(0);
    sums.add([of_port(80), of_port(80), of_port(443)]);
    sums.report(5);
    sums.report(10);
    sums.add([of_port(443)]);
    sums.report(24);
    let points = sums.report(25);
    assert_eq!(events(&points, &format!("{BASE} 80")), []);
    assert_eq!(events(&points, &format!("{BASE} 443")), [(0, 25, 2)]);
    assert_eq!(events(&points, BASE), [(0, 25, 2)], "it was there from the start, so backends know it");
    assert_eq!(of(&counted(&points), BASE, &RETRANSMITS), [(0, 25, 4)]);
    assert_eq!(of(&counted(&points), BASE, &IO), [(0, 25, 2 * 2896)]);
    assert_eq!(changes(&points), Shown::new(), "it was reported as a change already");
}

#[test]
fn a_base_series_that_was_not_there_begins_with_what_ended() {
    let mut sums = Sums::new(&by_port(), 0);
    let failed = |port| uncounted(of_port(port), 16);
    let base = format!("{BASE} EBUSY");
    sums.report(5);
    sums.add([failed(80), failed(80)]);
    sums.report(10);
    let points = counted(&sums.report(30));
    assert_eq!(of(&points, &format!("{base} 80"), &FAILURES), []);
    let began = [(5, 30, 2)];
    assert_eq!(of(&points, &base, &FAILURES), began, "no zero: a report has shown the two already");
    sums.add([failed(443)]);
    sums.report(35);
    let points = counted(&sums.report(55));
    assert_eq!(of(&points, &base, &FAILURES), [(5, 55, 3)]);
}

#[test]
fn a_series_that_returns_after_its_end_has_a_new_start() {
    let mut sums = Sums::new(&by_port(), 0);
    sums.report(0);
    sums.add([of_port(80)]);
    sums.report(5);
    assert_eq!(events(&sums.report(60), &format!("{BASE} 80")), []);
    sums.add([of_port(80)]);
    let points = sums.report(65);
    assert_eq!(events(&points, &format!("{BASE} 80")), [(60, 60, 0), (60, 65, 1)]);
    assert_eq!(events(&points, BASE), [(0, 65, 1)]);
}

#[test]
fn under_delta_a_series_with_added_attributes_ends_with_its_window() {
    let mut sums = Sums::new(&AggregateConfig { attributes: by_port().attributes, ..delta() }, 0);
    sums.add([of_port(80)]);
    assert_eq!(of(&changes(&sums.report(5)), &format!("{BASE} 80"), &EVENTS), [(0, 5, 1)]);
    sums.add([of_port(80), of_port(443)]);
    let points = sums.report(10);
    let changed = changes(&points);
    assert_eq!(of(&changed, &format!("{BASE} 80"), &EVENTS), [(5, 10, 1)]);
    assert_eq!(
        of(&changed, BASE, &EVENTS),
        [],
        "the total of an ended series is not a change of its base series"
    );
    assert_eq!(sum(&points, &EVENTS), 3);
}

/// Ports come and go over hours, in both temporalities. There are more of them than `max_series` allows.
#[test]
fn the_sum_over_all_series_never_falls() {
    for temporality in [config().temporality, delta().temporality] {
        let config = AggregateConfig { max_series: 5, temporality, ..by_port() };
        let mut sums = Sums::new(&config, 0);
        let (mut expected, mut of_changes) = (0, 0);
        for window in 1..=2000_u64 {
            // In every few windows there are records of some of thirteen ports, then none for longer than `max_idle`.
            let busy = window % 17 < 9;
            let ports: Vec<_> = (0..window % 4).filter(|_| busy).map(|n| (window * 7 + n * 5) % 13).collect();
            expected += 2 * ports.len() as u64;
            sums.add(ports.into_iter().map(|port| of_port(u16::try_from(port).unwrap())));
            let points = sums.report(5 * window);
            assert_eq!(sum(&points, &RETRANSMITS), expected, "window {window}, {temporality:?}");
            let changed = points.iter().filter(|point| point.descriptor == &RETRANSMITS);
            of_changes += changed.map(|point| point.change.value).sum::<u64>();
            assert_eq!(of_changes, expected, "window {window}, {temporality:?}");
        }
        assert!(expected > 2000);
    }
}
