//! The telemetry that left the agent, and the checks that it equals what the kernel counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::books::Books;
use super::support::traffic::Connection;

/// Attributes by name.
pub type Attributes = BTreeMap<String, String>;
/// Sums by metric and series.
pub type Sums = BTreeMap<(String, Attributes), u64>;

/// Attributes that a metric has by default, if the record has them.
const BOUNDED: [&str; 6] = [
    "network.transport",
    "network.type",
    "network.tcp.retransmit.type",
    "network.tcp.handshake.role",
    "network.connection.state",
    "error.type",
];

/// One point of a metric.
#[derive(Clone, Debug)]
pub struct Point {
    pub metric: String,
    pub attributes: Attributes,
    pub value: u64,
    pub is_cumulative: bool,
    /// When its series began, as the text that was printed.
    pub since: String,
}

/// Log records and metric points.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// Attributes of each log record.
    pub records: Vec<Attributes>,
    pub points: Vec<Point>,
}

impl Telemetry {
    /// The sum of each series: the last point of a cumulative series, all points of a delta series together. Series
    /// with the sum 0 are left out.
    ///
    /// Checks that a cumulative series begins with 0, so that a backend sees its first increment, that it never falls,
    /// and that it keeps its start.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        let mut starts = BTreeMap::new();
        for point in &self.points {
            let key = (point.metric.clone(), point.attributes.clone());
            if !point.is_cumulative {
                assert!(point.value > 0, "nothing has changed: {point:?}");
                *sums.entry(key).or_default() += point.value;
                continue;
            }
            match sums.insert(key.clone(), point.value) {
                Some(before) => assert!(point.value >= before, "{point:?} falls from {before}"),
                None => assert_eq!(point.value, 0, "{point:?} has no zero before it"),
            }
            assert_eq!(starts.entry(key).or_insert(&point.since), &&point.since, "{point:?}");
        }
        sums.retain(|_, sum| *sum > 0);
        sums
    }

    /// The sum over all series of a metric.
    pub fn sum_of(&self, metric: &str) -> u64 {
        self.sums().into_iter().filter(|((name, _), _)| name == metric).map(|(_, sum)| sum).sum()
    }

    /// The segments of all log records together.
    pub fn segments(&self) -> u64 {
        self.records.iter().map(|record| number(record, "tcp.segments")).sum()
    }

    /// How many records are gaps, which stand for several events.
    pub fn gaps(&self) -> usize {
        self.records.iter().filter(|record| record.contains_key("tcp.events")).count()
    }

    /// The sums that follow from the log records. What a record does not tell, such as how many events of a gap failed,
    /// is left out.
    fn sums_of_records(&self) -> Sums {
        let mut sums = Sums::new();
        for record in &self.records {
            let bounded = record.iter().filter(|(name, _)| BOUNDED.contains(&name.as_str()));
            let series: Attributes = bounded.map(|(name, value)| (name.clone(), value.clone())).collect();
            let mut add = |metric: &str, value| {
                let metric = format!("system.network.tcp.{metric}");
                *sums.entry((metric, series.clone())).or_default() += value;
            };
            add("retransmits", number(record, "tcp.segments"));
            if !is_of_an_skb(record) {
                continue;
            }
            if record.contains_key("error.type") {
                add("retransmit.failures", 1);
            } else {
                add("retransmit.events", 1);
                add("retransmit.io", number(record, "tcp.bytes"));
            }
        }
        sums.retain(|_, sum| *sum > 0);
        sums
    }

    /// Checks three things. Log records and metrics have the same sums, series by series. These sums are what the kernel
    /// counted. Each connection has records with its addresses and its IP version.
    pub fn assert_counted(&self, books: &Books, retrans_segs: u64, connections: &[Connection]) {
        self.assert_counted_within(books, retrans_segs..=retrans_segs, connections);
    }

    /// The same for a kernel that may have counted more while the agent stopped, for the agent's own connections.
    pub fn assert_counted_within(
        &self,
        books: &Books,
        retrans_segs: RangeInclusive<u64>,
        connections: &[Connection],
    ) {
        let (least, most) = retrans_segs.clone().into_inner();
        assert!(least > 0, "nothing was lost, so nothing was tested");
        let (mut sums, mut of_records) = (self.sums(), self.sums_of_records());
        if !self.records.iter().all(is_of_an_skb) {
            for sums in [&mut sums, &mut of_records] {
                sums.retain(|(metric, _), _| metric == "system.network.tcp.retransmits");
            }
        }
        assert_eq!(sums, of_records);
        assert_eq!((self.records.len() - self.gaps()) as u64, books.received());
        let (segments, shortage) = (self.segments(), books.shortage());
        let failed = self.records.iter().filter(|record| record.contains_key("error.type")).count();
        println!(
            "    RetransSegs {most}, segments {segments}, failed {failed}, unobserved {}, {} gaps",
            books.unobserved(),
            self.gaps()
        );
        assert!(
            segments <= most && least.saturating_sub(segments) <= shortage,
            "RetransSegs {retrans_segs:?}, ours {segments}, {failed} failed attempts, {shortage} not shown: {books:?}"
        );
        for connection in connections {
            self.assert_has(connection);
        }
    }

    /// Checks that there are records of the sender, and that their IP version is right.
    fn assert_has(&self, connection: &Connection) {
        let version = if connection.client.is_ipv4() { "ipv4" } else { "ipv6" };
        let local_and_peer = (connection.client, connection.server);
        let mut records = self
            .records
            .iter()
            .filter(|record| is_of_an_skb(record) && five_tuple(record) == local_and_peer)
            .peekable();
        assert!(records.peek().is_some(), "nothing of {connection:?}");
        for record in records {
            assert_eq!(
                (record["network.transport"].as_str(), record["network.type"].as_str()),
                ("tcp", version)
            );
        }
    }
}

/// Whether the record is of an skb, and not of segments that were missed.
fn is_of_an_skb(record: &Attributes) -> bool {
    record.contains_key("tcp.flags")
}

/// A record's local and peer address.
pub fn five_tuple(record: &Attributes) -> (SocketAddr, SocketAddr) {
    let side = |side: &str| {
        let of = |what: &str| &record[&format!("network.{side}.{what}")];
        SocketAddr::new(of("address").parse().expect("address"), of("port").parse().expect("port"))
    };
    (side("local"), side("peer"))
}

fn number(record: &Attributes, name: &str) -> u64 {
    let value = record.get(name).unwrap_or_else(|| panic!("no {name} in {record:?}"));
    value.parse().unwrap_or_else(|_| panic!("{name}={value}"))
}
