//! Writes the books to the log: how each receiver is set up, and at the end where all events and records went.

use otel_tcpretrans_pipeline::books::{Counts, ReceiverCounts, Snapshot};
use tracing::info;

/// Logs what the receivers tell about themselves, such as the hook and the transport in use.
pub(crate) fn log_receivers(books: &Snapshot) {
    for (id, counts) in &books.receivers {
        let facts = counts.info.iter().map(|(name, value)| format!("{name}={value}"));
        let numbers = counts.gauges.iter().map(|(name, unit, value)| format!("{name}={value}{unit}"));
        info!(receiver = id, facts = facts.chain(numbers).collect::<Vec<_>>().join(" "), "receiving");
    }
}

/// `kernel/ring_full=2 channel/channel_full=7`: what was not observed, by place and reason.
pub(crate) fn reasons(counts: &ReceiverCounts) -> String {
    let lost = counts.unobserved.iter().filter(|lost| lost.events > 0);
    let lost = lost.map(|lost| format!("{}/{}={}", lost.place, lost.reason, lost.events));
    lost.collect::<Vec<_>>().join(" ")
}

/// The numbers that matter, in a line.
pub(crate) fn summary(books: &Snapshot) -> String {
    let of_records =
        || books.receivers.iter().map(|(_, counts)| counts).filter(|counts| !counts.makes_points);
    let received: u64 = of_records().map(|counts| counts.received).sum();
    let segments: u64 = of_records().map(|counts| counts.received_segments).sum();
    let lost: u64 = of_records().flat_map(|counts| &counts.unobserved).map(|lost| lost.events).sum();
    let ledgers = || books.ledgers.iter().map(|(_, counts)| counts);
    let delivered: u64 = ledgers().map(|counts| counts.delivered).sum();
    let dropped: u64 = ledgers().map(Counts::dropped_total).sum();
    let queued: u64 = ledgers().map(|counts| counts.queued).sum();
    format!(
        "{received} events with {segments} segments, {lost} lost; of what was made of them {delivered} delivered, \
         {dropped} dropped, {queued} queued"
    )
}

/// Logs one line per receiver and one line per ledger.
pub(crate) fn log_books(books: &Snapshot) {
    for (id, counts) in &books.receivers {
        info!(
            receiver = id,
            seen = counts.seen,
            received = counts.received,
            unobserved = reasons(counts),
            gaps = counts.gaps.records,
            gap_events = counts.gaps.events,
            gap_segments = counts.gaps.segments,
            "books"
        );
    }
    for (key, counts) in &books.ledgers {
        let dropped = counts.dropped.iter().filter(|(_, items)| **items > 0);
        let dropped =
            dropped.map(|(reason, items)| format!("{reason}={items}")).collect::<Vec<_>>().join(" ");
        let in_flight = i64::try_from(counts.in_flight()).unwrap_or(i64::MAX);
        match &key.exporter {
            Some(exporter) => info!(
                pipeline = key.pipeline,
                exporter,
                accepted = counts.accepted,
                restored = counts.restored,
                delivered = counts.delivered,
                rejected = counts.rejected,
                dropped,
                stored = counts.stored,
                queued = counts.queued,
                in_flight,
                "books"
            ),
            None => info!(
                pipeline = key.pipeline,
                accepted = counts.accepted,
                passed = counts.passed,
                filtered = counts.filtered,
                aggregated = counts.aggregated,
                dropped,
                in_flight,
                "books"
            ),
        }
    }
}
