//! What was shown, added up: in all, and by peer, owner or reason.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;

use otel_tcpretrans_pipeline::record::{Class, NetworkType, Owner, Record};
use otel_tcpretrans_pipeline::text;

use super::settings::By;
use crate::reason;

/// Rows of a summary. What comes after so many different ones goes into one row.
const MOST: usize = 65_536;

/// The sums over all records that were shown.
#[derive(Debug, Default)]
pub(super) struct Tally {
    by: Option<By>,
    rows: HashMap<Key, Sums>,
    all: Sums,
    /// Segments of the namespace that is asked for.
    here: u64,
    /// Segments whose namespace is not known: those of gaps without a flow.
    anywhere: u64,
}

/// What records add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Records, each a line.
    pub lines: u64,
    /// Retransmissions.
    pub events: u64,
    /// Segments that were sent again.
    pub segments: u64,
    /// Gaps among the records: retransmissions that were counted and not seen one by one.
    pub gaps: u64,
}

impl Sums {
    fn add(&mut self, record: &Record) {
        self.lines += 1;
        self.events += record.amounts.events;
        self.segments += record.amounts.segments;
        self.gaps += u64::from(record.is_gap());
    }
}

/// A row's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Peer(IpAddr),
    Owner(Owner),
    Reason(Class),
    /// The record does not say.
    Unknown,
    /// All that found no row of its own.
    Others,
}

impl Tally {
    pub(super) fn new(by: Option<By>) -> Tally {
        Tally { by, ..Tally::default() }
    }

    /// Adds a record. `here` is the inode of the network namespace that is asked for.
    pub(super) fn add(&mut self, record: &Record, here: Option<u32>) {
        self.all.add(record);
        match record.flow.and_then(|flow| flow.netns_inode) {
            Some(netns) if Some(netns) == here => self.here += record.amounts.segments,
            Some(_) => {}
            None => self.anywhere += record.amounts.segments,
        }
        let Some(by) = self.by else { return };
        let key = key(by, record);
        let room = self.rows.len() < MOST || self.rows.contains_key(&key);
        self.rows.entry(if room { key } else { Key::Others }).or_default().add(record);
    }

    /// The sums over all records.
    pub(super) fn all(&self) -> Sums {
        self.all
    }

    /// Segments of the namespace that is asked for, and segments of which the namespace is not known.
    pub(super) fn segments_here(&self) -> (u64, u64) {
        (self.here, self.anywhere)
    }

    /// The table, with the most segments first. Empty if none is asked for.
    pub(super) fn table(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(by) = self.by else { return out };
        let name = |key: &Key| {
            let mut name = Vec::new();
            write_key(&mut name, *key);
            String::from_utf8(name).unwrap_or_default() // it is UTF-8
        };
        let mut rows: Vec<_> = self.rows.iter().map(|(key, sums)| (name(key), *sums)).collect();
        rows.sort_by(|(a, x), (b, y)| (Reverse(x.segments), a).cmp(&(Reverse(y.segments), b)));
        let heading = match by {
            By::Peer => "PEER",
            By::Owner => "PID/COMM",
            By::Reason => "REASON",
        };
        let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let width = widest.max(heading.len());
        // Writing into a Vec can't fail.
        let _ = writeln!(out, "{heading:width$} {:>15} {:>10} {:>7}", "RETRANSMISSIONS", "SEGMENTS", "SHARE");
        for (name, Sums { events, segments, .. }) in rows {
            let share = 100.0 * segments as f64 / self.all.segments.max(1) as f64;
            let _ = writeln!(out, "{name:width$} {events:>15} {segments:>10} {share:>6.1}%");
        }
        out
    }
}

fn key(by: By, record: &Record) -> Key {
    let key = match by {
        By::Peer => record.flow.map(|flow| Key::Peer(flow.peer.ip())),
        By::Owner => record.owner.map(Key::Owner),
        // The reasons of both IP versions are one row.
        By::Reason => Some(Key::Reason(Class { network_type: NetworkType::Ipv4, ..record.class })),
    };
    key.unwrap_or(Key::Unknown)
}

fn write_key(out: &mut Vec<u8>, key: Key) {
    match key {
        Key::Peer(address) => text::address(out, address),
        Key::Owner(owner) => {
            text::number(out, owner.pid);
            out.push(b'/');
            out.extend_from_slice(owner.command.as_str().as_bytes());
        }
        Key::Reason(class) => reason::write(out, class),
        Key::Unknown => out.extend_from_slice(b"(not known)"),
        Key::Others => out.extend_from_slice(b"(others)"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use otel_tcpretrans_pipeline::record::{Amounts, Flow, RetransmitType};

    use super::*;
    use crate::fixtures;

    fn tally(by: By, records: &[Record]) -> Tally {
        let mut tally = Tally::new(Some(by));
        records.iter().for_each(|record| tally.add(record, Some(13)));
        tally
    }

    fn to(peer: [u8; 4], segments: u64) -> Record {
        let flow = fixtures::record().flow.map(|flow| Flow { peer: SocketAddr::from((peer, 443)), ..flow });
        let amounts = Amounts { segments, ..fixtures::record().amounts };
        Record { flow, amounts, ..fixtures::record() }
    }

    #[test]
    fn the_largest_row_is_the_first() {
        let records =
            [to([10, 0, 0, 1], 30), to([192, 0, 2, 100], 50), to([10, 0, 0, 1], 40), fixtures::gap()];
        let tally = tally(By::Peer, &records);
        let table = "\
PEER        RETRANSMISSIONS   SEGMENTS   SHARE
(not known)              12        200   62.5%
10.0.0.1                  2         70   21.9%
192.0.2.100               1         50   15.6%
";
        assert_eq!(String::from_utf8(tally.table()).unwrap(), table);
        assert_eq!(tally.all(), Sums { lines: 4, events: 15, segments: 320, gaps: 1 });
    }

    #[test]
    fn owners_and_reasons_have_rows() {
        let class = Class { retransmit_type: RetransmitType::Handshake, ..fixtures::record().class };
        let v6 = Class { network_type: NetworkType::Ipv6, ..fixtures::record().class };
        let records = [
            fixtures::record(),
            Record { class: v6, owner: None, ..fixtures::record() },
            Record { class, ..fixtures::record() },
        ];
        let rows = |by| {
            let table = String::from_utf8(tally(by, &records).table()).unwrap();
            let rows = table.lines().skip(1).map(|line| line.split("  ").next().unwrap().to_owned());
            rows.collect::<Vec<_>>()
        };
        assert_eq!(rows(By::Owner), ["321/curl", "(not known)"]);
        assert_eq!(rows(By::Reason), ["fast", "handshake"]);
    }

    #[test]
    fn segments_are_told_apart_by_namespace() {
        let elsewhere = fixtures::record().flow.map(|flow| Flow { netns_inode: Some(14), ..flow });
        let records = [fixtures::record(), Record { flow: elsewhere, ..fixtures::record() }, fixtures::gap()];
        assert_eq!(tally(By::Peer, &records).segments_here(), (2, 200));
    }

    #[test]
    fn rows_are_bounded_and_nothing_is_left_out() {
        let peers = (0..MOST as u32 + 10).map(|number| to(number.to_be_bytes(), 1));
        let tally = tally(By::Peer, &peers.collect::<Vec<_>>());
        assert_eq!(tally.rows.len(), MOST + 1);
        assert_eq!(tally.rows[&Key::Others].segments, 10);
        assert_eq!(tally.rows.values().map(|sums| sums.segments).sum::<u64>(), tally.all().segments);
    }
}
