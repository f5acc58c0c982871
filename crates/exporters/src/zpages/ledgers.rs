//! The books of a pipeline, and of a pipeline's exporter, as numbers of a page.

use otel_tcpretrans_pipeline::books::{Counts, LedgerKey};
use serde::Serialize;

use super::number::Number;

/// What became of the items of a pipeline, or of one of its exporters: `accepted` (and `restored`) is the sum of all others.
#[derive(Debug, Serialize)]
pub(super) struct Ledger {
    /// The pipeline.
    pub(super) pipeline: String,
    /// What came in.
    pub(super) accepted: Number,
    /// What became of it.
    pub(super) outcomes: Vec<Number>,
}

/// That of a pipeline.
pub(super) fn pipeline_ledger(key: &LedgerKey, counts: &Counts, namespace: &str) -> Ledger {
    let settled =
        [("passed", counts.passed), ("filtered", counts.filtered), ("aggregated", counts.aggregated)];
    let now = [("in flight", "pipeline_in_flight_records", in_flight(counts))];
    ledger(key, counts, (namespace, "pipeline_records"), &settled, &now)
}

/// That of a pipeline's exporter.
pub(super) fn exporter_ledger(key: &LedgerKey, counts: &Counts, namespace: &str) -> Ledger {
    let settled = [
        ("delivered", counts.delivered),
        ("rejected", counts.rejected),
        ("restored", counts.restored),
        ("stored", counts.stored),
    ];
    let now = [
        ("queued", "exporter_queued_items", counts.queued),
        ("in flight", "exporter_in_flight_items", in_flight(counts)),
    ];
    ledger(key, counts, (namespace, "exporter_items"), &settled, &now)
}

fn ledger(
    key: &LedgerKey,
    counts: &Counts,
    (namespace, metric): (&str, &str),
    settled: &[(&str, u64)],
    now: &[(&str, &str, u64)],
) -> Ledger {
    let signal: &str = key.signal.into();
    let mut labels = vec![("pipeline", key.pipeline.as_str()), ("signal", signal)];
    labels.extend(key.exporter.as_deref().map(|exporter| ("exporter", exporter)));
    let metric = format!("{namespace}_{metric}");
    let with = |more: &[(&'static str, &str)], name: &str, value| {
        let mut all = labels.clone();
        all.extend(more);
        Number::new(name, value, &metric, &all)
    };
    let mut outcomes: Vec<Number> = settled
        .iter()
        // What a queue on disk alone has is left out where there is none.
        .filter(|(name, value)| *value > 0 || !matches!(*name, "restored" | "stored"))
        .map(|(name, value)| with(&[("outcome", name)], name, *value))
        .collect();
    for (reason, items) in counts.dropped.iter().filter(|(_, items)| **items > 0) {
        let reason: &str = reason.into();
        let name = format!("dropped: {}", reason.replace('_', " "));
        outcomes.push(with(&[("outcome", "dropped"), ("reason", reason)], &name, *items));
    }
    for (name, metric, value) in now {
        outcomes.push(Number::new(*name, *value, &format!("{namespace}_{metric}"), &labels));
    }
    Ledger {
        pipeline: key.pipeline.clone(),
        accepted: with(&[("outcome", "accepted")], "accepted", counts.accepted),
        outcomes,
    }
}

/// As the self-telemetry shows it.
fn in_flight(counts: &Counts) -> u64 {
    u64::try_from(counts.in_flight()).unwrap_or(0)
}
