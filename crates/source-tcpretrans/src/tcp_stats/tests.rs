//! What is read, and the series that it becomes.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use otel_tcpretrans_pipeline::metric::MetricPoint;
use otel_tcpretrans_pipeline::processors::{EVENTS, FAILURES, IO, RETRANSMITS};

use super::config::Scope;
use super::mib::{COUNT, Counters, METRICS, counter, read};
use super::namespaces::{Owner, in_sight};
use super::series::Series;

const MINUTE: u64 = 60_000_000_000;

#[test]
fn a_counter_is_found_by_its_name() {
    let text = "Ip: A B\nIp: 1 2\nTcp: MaxConn OutSegs\nTcp: -1 7\nTcpExt: OutSegs\nTcpExt: 9\n";
    assert_eq!(counter(text, "Tcp", "OutSegs"), Some(7));
    assert_eq!(counter(text, "Tcp", "MaxConn"), None, "it is no counter");
    assert_eq!(counter(text, "Tcp", "RetransSegs"), None);
    assert_eq!(counter(text, "Udp", "OutSegs"), None);
    assert_eq!(counter("Tcp: OutSegs\n", "Tcp", "OutSegs"), None);
}

#[test]
fn this_kernel_has_all_counters_and_no_name_is_taken() {
    let counters = read(Path::new("/proc/self/net")).unwrap();
    for (counter, metric) in counters.iter().zip(&METRICS) {
        assert!(counter.is_some(), "{}", metric.name);
        assert!(metric.name.starts_with("system.network.tcp."));
        let taken = [&RETRANSMITS, &EVENTS, &IO, &FAILURES].iter().any(|other| other.name == metric.name);
        assert!(!taken, "{} is a metric of tcpretrans", metric.name);
    }
    let names: std::collections::BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), COUNT);
}

#[test]
fn its_own_namespace_is_always_in_sight() {
    let own = in_sight(Scope::Netns);
    assert_eq!((own.readings.len(), own.hidden), (1, 0));
    let (inode, (owner, _)) = own.readings.first_key_value().unwrap();
    assert_eq!(owner.pid, i64::from(std::process::id()));
    assert!(in_sight(Scope::Host).readings.contains_key(inode));
}

fn owner(started: u64) -> Owner {
    Owner { pid: 7, command: "sh".to_owned(), started: Duration::from_secs(started) }
}

/// All counters are `value`.
fn readings<const N: usize>(of: [(u64, u64, u64); N]) -> BTreeMap<u64, (Owner, Counters)> {
    of.map(|(inode, started, value)| (inode, (owner(started), [Some(value); COUNT]))).into()
}

/// Start, time, total and change of the first metric's points.
fn first(points: &[MetricPoint]) -> Vec<(u64, u64, u64, u64)> {
    let first = points.iter().filter(|point| point.descriptor == &METRICS[0]);
    first
        .map(|point| {
            (point.total.start_unix_nano, point.time_unix_nano, point.total.value, point.change.value)
        })
        .collect()
}

#[test]
fn what_was_counted_before_the_start_is_left_out() {
    let mut series = Series::new(Duration::from_secs(100));
    assert_eq!(first(&series.update(1000, readings([(1, 50, 500)]))), [(1000, 1000, 0, 0)]);
    assert_eq!(first(&series.update(2000, readings([(1, 50, 507)]))), [(1000, 2000, 7, 7)]);
    assert_eq!(first(&series.update(3000, readings([(1, 50, 507)]))), [(1000, 3000, 7, 0)]);
}

#[test]
fn a_namespace_that_begins_later_is_counted_from_its_beginning() {
    let mut series = Series::new(Duration::from_secs(100));
    series.update(1000, readings([]));
    assert_eq!(
        first(&series.update(2000, readings([(1, 101, 5)]))),
        [(1000, 1000, 0, 0), (1000, 2000, 5, 5)]
    );
    assert_eq!(first(&series.update(3000, readings([(1, 101, 6)]))), [(1000, 3000, 6, 1)]);
    // One that is older than the receiver was out of sight until now.
    assert_eq!(first(&series.update(4000, readings([(2, 50, 9)])))[1..], [(4000, 4000, 0, 0)]);
}

#[test]
fn a_namespace_that_ends_keeps_its_last_reading_for_a_while() {
    let mut series = Series::new(Duration::from_secs(100));
    series.update(MINUTE, readings([(1, 50, 500)]));
    series.update(2 * MINUTE, readings([(1, 50, 510)]));
    assert_eq!(first(&series.update(16 * MINUTE, readings([]))), [(MINUTE, 16 * MINUTE, 10, 0)]);
    assert_eq!(first(&series.update(17 * MINUTE, readings([]))), []);
}

#[test]
fn an_inode_that_is_another_namespaces_begins_again() {
    let mut series = Series::new(Duration::from_secs(100));
    series.update(1000, readings([(1, 50, 500)]));
    series.update(2000, readings([(1, 50, 510)]));
    assert_eq!(
        first(&series.update(3000, readings([(1, 120, 4)]))),
        [(2000, 2000, 0, 0), (2000, 3000, 4, 4)]
    );
    assert_eq!(first(&series.update(4000, readings([(1, 120, 5)]))), [(2000, 4000, 5, 1)]);
}

#[test]
fn a_clock_that_is_set_back_stands_still() {
    let mut series = Series::new(Duration::from_secs(100));
    series.update(2000, readings([(1, 50, 500)]));
    assert_eq!(first(&series.update(1000, readings([(1, 50, 501)]))), [(2000, 2000, 1, 1)]);
    assert_eq!(first(&series.update(3000, readings([(1, 50, 503)]))), [(2000, 3000, 3, 2)]);
}

#[test]
fn a_counter_that_the_kernel_has_not_has_no_point() {
    let mut series = Series::new(Duration::ZERO);
    let mut readings = readings([(1, 50, 500)]);
    readings.get_mut(&1).unwrap().1[0] = None;
    let points = series.update(1000, readings);
    assert_eq!((first(&points), points.len()), (vec![], COUNT - 1));
}
