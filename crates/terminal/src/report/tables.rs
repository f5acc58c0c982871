//! The tables of a report, as cells. The page and the text show the same ones.

use jiff::Timestamp;
use otel_tcpretrans_pipeline::record::RetransmitType;
use strum::IntoEnumIterator;

use super::about::About;
use super::collected::{Collected, Sums};
use super::ranking::{Row, worst};

/// A table.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// The first column has text, the others numbers.
    pub(super) headings: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    /// A sentence below it.
    pub(super) note: Option<String>,
}

/// What the recording is, as pairs of a name and a value.
pub(super) fn summary(collected: &Collected, about: &About) -> Vec<(&'static str, String)> {
    let time = |nanoseconds: u64| {
        Timestamp::from_nanosecond(nanoseconds.into())
            .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
    };
    let (first, last) = collected.time.unwrap_or_default();
    let amounts = collected.all.amounts;
    let mut pairs = vec![
        ("recording", about.recording.clone()),
        ("from", time(first)),
        ("to", time(last)),
        ("seconds", format!("{:.1}", collected.seconds_long())),
        ("segments sent again", amounts.segments.to_string()),
        ("retransmissions (skbs)", amounts.sent().to_string()),
        ("payload, bytes", amounts.bytes.to_string()),
        ("failed attempts", amounts.failures.to_string()),
        ("peers", collected.peers.keys().flatten().count().to_string()),
        ("connections", collected.connections.len().to_string()),
    ];
    if !about.conditions.is_empty() {
        pairs.push(("only where", about.conditions.join(", or ")));
    }
    if collected.gaps > 0 {
        pairs.push(("records known by their numbers only", collected.gaps.to_string()));
    }
    let lost: Vec<_> = about.lost.iter().map(|(place, events)| format!("{events} ({place})")).collect();
    let lost = if lost.is_empty() { "nothing".to_owned() } else { format!("events: {}", lost.join(", ")) };
    pairs.push(("lost of the recording", lost));
    pairs
}

/// All tables.
pub(super) fn tables(collected: &Collected) -> Vec<Table> {
    let all = &collected.all;
    let peers = worst(&collected.peers, |peer| {
        peer.map_or("(gaps, without addresses)".to_owned(), |ip| ip.to_string())
    });
    let owners = worst(&collected.owners, |owner| owner.clone().unwrap_or_else(|| "(not known)".to_owned()));
    let connections = worst(&collected.connections, |(local, peer)| format!("{local} -> {peer}"));
    vec![
        reasons(all),
        ranked("Worst peers", "peer", peers, all),
        ranked("Worst owners", "process", owners, all),
        ranked("Worst connections", "connection", connections, all),
    ]
}

fn reasons(all: &Sums) -> Table {
    let rows = RetransmitType::iter().zip(all.by_reason).filter(|(_, segments)| *segments > 0);
    let row = |(reason, segments): (RetransmitType, u64)| {
        let name: &str = reason.into();
        vec![name.to_owned(), segments.to_string(), share(segments, all)]
    };
    let headings = vec!["reason", "segments", "share"];
    Table { title: "Reasons", headings, rows: rows.map(row).collect(), note: None }
}

fn ranked(title: &'static str, of: &'static str, (rows, left_out): (Vec<Row>, usize), all: &Sums) -> Table {
    let row = |Row { name, sums }: Row| {
        let rtt = sums.mean_rtt().map_or("-".to_owned(), |rtt| format!("{:.2}", rtt * 1e3));
        let amounts = sums.amounts;
        vec![
            name,
            amounts.segments.to_string(),
            share(amounts.segments, all),
            amounts.sent().to_string(),
            amounts.failures.to_string(),
            rtt,
            <&str>::from(sums.main_reason()).to_owned(),
        ]
    };
    Table {
        title,
        headings: vec![of, "segments", "share", "skbs", "failed", "mean RTT, ms", "most are"],
        rows: rows.into_iter().map(row).collect(),
        note: (left_out > 0).then(|| format!("{left_out} more are not shown. They are in the sums.")),
    }
}

fn share(segments: u64, all: &Sums) -> String {
    match all.amounts.segments {
        0 => "-".to_owned(),
        all => format!("{:.1} %", segments as f64 / all as f64 * 100.0),
    }
}
