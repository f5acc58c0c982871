//! What is collected of the records: sums over time, by reason, peer, owner and connection.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use otel_tcpretrans_pipeline::record::{Amounts, Record, RetransmitType};
use strum::{EnumCount, IntoEnumIterator};

/// The finest step of the timeline, in ns: a tenth of a second.
const TICK: u64 = 100_000_000;

/// Segments by reason, in the order of the reasons.
pub(super) type ByReason = [u64; RetransmitType::COUNT];

/// What was collected.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) all: Sums,
    /// Retransmissions that are known by their numbers only.
    pub(super) gaps: u64,
    /// Time of the first and of the last record, in ns since the Unix epoch.
    pub(super) time: Option<(u64, u64)>,
    /// Segments by reason for each tenth of a second since the Unix epoch in which there are some.
    ticks: BTreeMap<u64, ByReason>,
    /// By address of the peer; `None` for gaps.
    pub(super) peers: HashMap<Option<IpAddr>, Sums>,
    /// By command of the process that owns the socket; `None` where it is not known.
    pub(super) owners: HashMap<Option<String>, Sums>,
    /// By connection.
    pub(super) connections: HashMap<(SocketAddr, SocketAddr), Sums>,
}

/// Sums over some records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) amounts: Amounts,
    pub(super) by_reason: ByReason,
    /// Round-trip times, added up in seconds, and how many there are.
    rtt: (f64, u64),
}

impl Sums {
    fn add(&mut self, record: &Record) {
        self.amounts += record.amounts;
        self.by_reason[record.class.retransmit_type as usize] += record.amounts.segments;
        if let Some(rtt) = record.tcp.and_then(|tcp| tcp.rtt) {
            self.rtt.0 += rtt.as_secs_f64();
            self.rtt.1 += 1;
        }
    }

    /// Mean round-trip time at the retransmissions, in seconds.
    pub(super) fn mean_rtt(&self) -> Option<f64> {
        (self.rtt.1 > 0).then(|| self.rtt.0 / self.rtt.1 as f64)
    }

    /// The reason with the most segments. Of equal ones the first.
    pub(super) fn main_reason(&self) -> RetransmitType {
        let segments = |reason: &RetransmitType| self.by_reason[*reason as usize];
        RetransmitType::iter().rev().max_by_key(segments).unwrap_or(RetransmitType::Unknown)
    }
}

impl Collected {
    pub(super) fn add(&mut self, record: &Record) {
        let time = record.time_unix_nano;
        let (first, last) = self.time.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        self.all.add(record);
        self.gaps += u64::from(record.is_gap());
        self.ticks.entry(time / TICK).or_default()[record.class.retransmit_type as usize] +=
            record.amounts.segments;
        self.peers.entry(record.flow.map(|flow| flow.peer.ip())).or_default().add(record);
        let owner = record.owner.map(|owner| owner.command.as_str().to_owned());
        self.owners.entry(owner).or_default().add(record);
        if let Some(flow) = record.flow {
            self.connections.entry((flow.local, flow.peer)).or_default().add(record);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.time.is_none()
    }

    /// From the first record to the last, in seconds.
    pub(super) fn seconds_long(&self) -> f64 {
        self.time.map_or(0.0, |(first, last)| (last - first) as f64 / 1e9)
    }

    /// The timeline in at most `most` steps of equal length: that length in seconds, and the segments of each step.
    pub(super) fn timeline(&self, most: usize) -> (f64, Vec<ByReason>) {
        let ends = self.ticks.first_key_value().zip(self.ticks.last_key_value());
        let Some(((&first, _), (&last, _))) = ends else { return (1.0, Vec::new()) };
        let step = (last - first + 1).div_ceil(most.max(1) as u64);
        let steps = (last - first) / step + 1;
        let mut timeline = vec![ByReason::default(); usize::try_from(steps).unwrap_or(most)];
        for (tick, segments) in &self.ticks {
            let index = usize::try_from((tick - first) / step).unwrap_or(usize::MAX);
            for (sum, more) in timeline.get_mut(index).into_iter().flatten().zip(segments) {
                *sum += more;
            }
        }
        ((step * TICK) as f64 / 1e9, timeline)
    }
}
