//! The audit: it finds no difference where all is told, and the very difference that a test makes.

use std::time::Duration;

use libbpf_rs::query::MapInfoIter;
use libbpf_rs::{MapCore, MapFlags, MapHandle};
use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_pipeline::config::Interval;
use otel_tcpretrans_pipeline::metric::MetricPoint;
use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_source::config::{Config, Hook, Scope, Transport};
use otel_tcpretrans_source::tcp_stats::{self, TcpStats};
use otel_tcpretrans_source::{Audit, Tcpretrans};

use crate::owners::Player;
use crate::running::own;
use crate::support::hidden::Recorder;
use crate::support::namespace::{
    isolated, netns_inode, retrans_segs, wait_for, wait_until_quiet, without_gso,
};
use crate::support::traffic::{loopback, lossy_transfer};

const PATIENCE: Duration = Duration::from_secs(60);
const MADE: u64 = 7;

pub fn shows_the_difference_that_a_test_makes() {
    isolated(|| {
        without_gso();
        // Something from before the start, which is no difference.
        lossy_transfer(loopback(false), loopback(false), 1 << 20);
        wait_until_quiet();
        assert!(retrans_segs() > 0);
        let _process = Player::start("sleeper 0"); // the namespace is in sight by its processes
        let recorder = Recorder::start().ok();
        let mut pair = Pair::start(own(Hook::TpBtf, Transport::Auto));
        wait_for("an audit", PATIENCE, || pair.gauge("audited_namespaces") == Some(1));
        assert_eq!(pair.difference(), Some(0));

        lossy_transfer(loopback(true), loopback(true), 4 << 20);
        wait_until_quiet();
        let hidden = recorder.map_or(0, |recorder| recorder.hidden().expect("the trace").segments);
        wait_for("no difference", PATIENCE, || pair.difference().is_some_and(|by| by <= hidden));
        let before = pair.difference().expect("a difference");
        let told = change_told(|told| told + MADE);
        let too_many = MADE.abs_diff(before);
        wait_for("segments that were told too much", PATIENCE, || pair.difference() == Some(too_many));
        change_told(|told| told - MADE - MADE);
        let too_few = MADE + before;
        wait_for("segments that were not told", PATIENCE, || pair.difference() == Some(too_few));
        println!(
            "    {told} segments told, {hidden} hidden; differences {before}, then {too_many} and {too_few} as made"
        );

        // Nothing is compared where not everything is told.
        pair.receiver.stop();
        wait_for("no audit", PATIENCE, || pair.gauge("audited_namespaces") == Some(0));
        assert_eq!(pair.difference(), None);
        drop(pair);
        for config in [
            Config { synack: false, ..own(Hook::TpBtf, Transport::Auto) },
            Config { scope: Scope::Cgroup, ..own(Hook::TpBtf, Transport::Auto) },
        ] {
            let pair = Pair::start(config);
            wait_for("a report", PATIENCE, || pair.gauge("network_namespaces") > Some(0));
            assert_eq!(pair.gauge("audited_namespaces"), Some(0));
        }
    });
}

/// Both receivers, and the other ends of their channels, which nobody reads.
struct Pair {
    receiver: Tcpretrans,
    stats: TcpStats,
    _records: chunk::Receiver<Record>,
    _points: chunk::Receiver<MetricPoint>,
}

impl Pair {
    fn start(config: Config) -> Pair {
        let audit = Audit::default();
        let (to_records, _records) = chunk::channel(1 << 16);
        let mut receiver = Tcpretrans::new(config).audited(&audit);
        receiver.start(to_records).expect("start");
        let interval = Interval::from(Duration::from_millis(100));
        let config = tcp_stats::Config { interval, ..tcp_stats::Config::default() };
        let (to_points, _points) = chunk::channel(1 << 16);
        let mut stats = TcpStats::new(config).auditing(&audit);
        stats.start(to_points).expect("start");
        Pair { receiver, stats, _records, _points }
    }

    fn gauge(&self, name: &str) -> Option<u64> {
        self.stats.probe()().gauges.iter().find(|(gauge, _)| gauge.name == name).map(|gauge| gauge.1)
    }

    fn difference(&self) -> Option<u64> {
        self.gauge("audit_difference")
    }
}

/// Changes what the kernel side says it told of this namespace. Returns what that was.
fn change_told(change: impl Fn(u64) -> u64) -> u64 {
    let key = netns_inode().to_ne_bytes();
    let maps = MapInfoIter::default().filter(|map| map.name == "told_by_netns");
    for map in maps {
        let map = MapHandle::from_map_id(map.id).expect("the map");
        if let Some(value) = map.lookup(&key, MapFlags::ANY).expect("a look-up") {
            let told = u64::from_ne_bytes(value.try_into().expect("a number"));
            map.update(&key, &change(told).to_ne_bytes(), MapFlags::EXIST).expect("a change");
            return told;
        }
    }
    panic!("no map has this namespace");
}
