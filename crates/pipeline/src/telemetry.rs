//! The books as instruments of the OpenTelemetry API. An instrument that the Collector has, too, has the Collector's
//! name.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use strum::IntoEnumIterator;

use crate::books::{
    Books, Counts, DropReason, Gauge, LedgerKey, ReceiverCounts, Signal, Snapshot, Unobserved,
};

/// The books as they were at the last [`Observed::refresh`]. All instruments show this state.
pub struct Observed {
    books: Books,
    meter: Meter,
    namespace: String,
    last: Last,
    /// Names of the receivers' gauges for which an instrument is registered.
    gauges: Mutex<HashSet<&'static str>>,
}

/// The snapshot that all callbacks of one collection share.
type Last = Arc<RwLock<Arc<Snapshot>>>;

/// Where a callback puts its values.
type Out<'a, N> = &'a dyn AsyncInstrument<N>;

impl Observed {
    /// Registers all instruments on `meter`. Names that the Collector does not have begin with `namespace`.
    pub fn register(meter: &Meter, namespace: &str, books: &Books) -> Self {
        let observed = Observed {
            books: books.clone(),
            meter: meter.clone(),
            namespace: namespace.to_owned(),
            last: Last::default(),
            gauges: Mutex::default(),
        };
        observed.receivers();
        observed.ledgers();
        observed.exporters();
        observed.queues();
        observed.refresh();
        observed
    }

    /// Reads the books. A reader calls it right before it collects, so that all values are from one moment.
    pub fn refresh(&self) {
        let snapshot = Arc::new(self.books.snapshot());
        self.receiver_gauges(&snapshot);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    fn receivers(&self) {
        type Value = fn(&ReceiverCounts) -> u64;
        let refused: Value =
            |counts| counts.unobserved.iter().filter(|u| u.place == "channel").map(|u| u.events).sum();
        for (of, items, unit) in [(false, "log_records", "{record}"), (true, "metric_points", "{datapoint}")]
        {
            let numbers: [(_, _, Value); 2] = [
                ("accepted", "that reached the pipelines", |counts| counts.received),
                ("refused", "for which the receiver's channel had no room", refused),
            ];
            for (outcome, what, value) in numbers {
                self.counter(
                    &format!("otelcol_receiver_{outcome}_{items}"),
                    unit,
                    &format!("Items of a receiver {what}."),
                    move |books, out| {
                        let receivers =
                            books.receivers.iter().filter(|(_, counts)| counts.makes_points == of);
                        for (id, counts) in receivers {
                            out.observe(value(counts), &[receiver(id)]);
                        }
                    },
                );
            }
        }
        let numbers: [(_, _, _, Value); 3] = [
            (
                self.own("kernel_events"),
                "{event}",
                "Events that the kernel side counted before it tried to hand them over.",
                |counts| counts.seen,
            ),
            (
                self.own("gap_events"),
                "{event}",
                "Events that are reported in gaps, from the kernel side's counters.",
                |counts| counts.gaps.events,
            ),
            (
                self.own("gap_segments"),
                "{segment}",
                "Segments that are reported in gaps, from the kernel side's counters.",
                |counts| counts.gaps.segments,
            ),
        ];
        for (name, unit, description, value) in numbers {
            self.counter(&name, unit, description, move |books, out| {
                for (id, counts) in books.receivers.iter().filter(|(_, counts)| !counts.makes_points) {
                    out.observe(value(counts), &[receiver(id)]);
                }
            });
        }
        self.counter(
            &self.own("unobserved_events"),
            "{event}",
            "Events that were not observed, by place and reason.",
            |books, out| {
                for (id, lost) in unobserved(books) {
                    out.observe(lost.events, &of_unobserved(id, lost));
                }
            },
        );
        self.counter(
            &self.own("unobserved_segments"),
            "{segment}",
            "Segments of events that were not observed, by place and reason, if they are known.",
            |books, out| {
                for (id, lost) in unobserved(books) {
                    if let Some(segments) = lost.segments {
                        out.observe(segments, &of_unobserved(id, lost));
                    }
                }
            },
        );
        self.gauge(
            &self.own("receiver_info"),
            "",
            "Always 1. The labels say how the receiver works.",
            |books, out| {
                for (id, counts) in &books.receivers {
                    let facts = counts.info.iter().map(|(name, value)| KeyValue::new(*name, value.clone()));
                    out.observe(1, &[receiver(id)].into_iter().chain(facts).collect::<Vec<_>>());
                }
            },
        );
    }

    /// Registers the gauges that receivers have. Their names are known only when there is a receiver.
    fn receiver_gauges(&self, snapshot: &Snapshot) {
        let mut known = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        for &(gauge, _) in snapshot.receivers.iter().flat_map(|(_, counts)| &counts.gauges) {
            let Gauge { name, unit, description } = *gauge;
            if known.insert(name) {
                self.gauge(&self.own(name), unit, description, move |books, out| {
                    for (id, counts) in &books.receivers {
                        for (_, value) in counts.gauges.iter().filter(|(gauge, _)| gauge.name == name) {
                            out.observe(*value, &[receiver(id)]);
                        }
                    }
                });
            }
        }
    }

    fn ledgers(&self) {
        self.counter(
            &self.own("pipeline_records"),
            "{record}",
            "Records of a pipeline, by outcome.",
            |books, out| {
                for (key, counts) in books.ledgers.iter().filter(|(key, _)| key.exporter.is_none()) {
                    let settled = [
                        ("accepted", counts.accepted),
                        ("passed", counts.passed),
                        ("filtered", counts.filtered),
                        ("aggregated", counts.aggregated),
                    ];
                    outcomes(out, key, counts, &settled);
                }
            },
        );
        self.counter(
            &self.own("exporter_items"),
            "{item}",
            "Log records or metric points of a pipeline's exporter, by outcome.",
            |books, out| {
                for (key, counts) in books.ledgers.iter().filter(|(key, _)| key.exporter.is_some()) {
                    let settled = [
                        ("accepted", counts.accepted),
                        ("delivered", counts.delivered),
                        ("rejected", counts.rejected),
                        ("restored", counts.restored),
                        ("stored", counts.stored),
                    ];
                    outcomes(out, key, counts, &settled);
                }
            },
        );
        self.gauge(
            &self.own("exporter_queued_items"),
            "{item}",
            "Log records or metric points that wait in the sending queue.",
            |books, out| {
                for (key, counts) in books.ledgers.iter().filter(|(key, _)| key.exporter.is_some()) {
                    out.observe(counts.queued, &ledger(key));
                }
            },
        );
        for (name, of_exporter) in [("pipeline_in_flight_records", false), ("exporter_in_flight_items", true)]
        {
            self.gauge(
                &self.own(name),
                if of_exporter { "{item}" } else { "{record}" },
                if of_exporter {
                    "Log records or metric points that an exporter has accepted, and that have no other outcome yet."
                } else {
                    "Records that a pipeline has accepted, and that have no other outcome yet."
                },
                move |books, out| {
                    let of = books.ledgers.iter().filter(|(key, _)| key.exporter.is_some() == of_exporter);
                    for (key, counts) in of {
                        // A number below 0 would be a bug in the books. The counters above still show it.
                        out.observe(u64::try_from(counts.in_flight()).unwrap_or(0), &ledger(key));
                    }
                },
            );
        }
    }

    /// The Collector's counters. Each adds up all pipelines of an exporter.
    fn exporters(&self) {
        type Value = fn(&Counts) -> u64;
        let kinds: [(_, _, Value); 3] = [
            ("sent", "taken by the backend", |counts| counts.delivered),
            ("send_failed", "that the backend did not take", |counts| {
                let never_sent = [
                    DropReason::PipelineFull,
                    DropReason::ExporterFull,
                    DropReason::QueueFull,
                    DropReason::Storage,
                ];
                let failed = counts.dropped.iter().filter(|(reason, _)| !never_sent.contains(reason));
                counts.rejected + failed.map(|(_, items)| items).sum::<u64>()
            }),
            (
                "enqueue_failed",
                "for which the sending queue, or the channel before it, had no room, or which the disk did not keep",
                |counts| {
                    let full = [DropReason::ExporterFull, DropReason::QueueFull, DropReason::Storage];
                    full.iter().filter_map(|reason| counts.dropped.get(reason)).sum()
                },
            ),
        ];
        for signal in Signal::ALL {
            let (items, unit, what) = match signal {
                Signal::Logs => ("log_records", "{record}", "Log records"),
                Signal::Metrics => ("metric_points", "{datapoint}", "Metric points"),
            };
            for (kind, description, value) in kinds {
                self.counter(
                    &format!("otelcol_exporter_{kind}_{items}"),
                    unit,
                    &format!("{what} {description}."),
                    move |books, out| {
                        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
                        for (key, counts) in books.ledgers.iter().filter(|(key, _)| key.signal == signal) {
                            if let Some(exporter) = &key.exporter {
                                *sums.entry(exporter).or_default() += value(counts);
                            }
                        }
                        for (exporter, sum) in sums {
                            out.observe(sum, &[KeyValue::new("exporter", exporter.to_owned())]);
                        }
                    },
                );
            }
        }
    }

    fn queues(&self) {
        for (name, description, of_capacity) in [
            ("otelcol_exporter_queue_size", "Bytes in the sending queue, waiting or in flight.", false),
            ("otelcol_exporter_queue_capacity", "The largest size of the sending queue, in bytes.", true),
        ] {
            self.gauge(name, "By", description, move |books, out| {
                for ((exporter, signal), counts) in &books.queues {
                    let labels = [
                        KeyValue::new("exporter", exporter.clone()),
                        KeyValue::new("data_type", <&str>::from(*signal)),
                    ];
                    out.observe(if of_capacity { counts.capacity } else { counts.size }, &labels);
                }
            });
        }
    }

    fn own(&self, name: &str) -> String {
        format!("{}_{name}", self.namespace)
    }

    fn counter(
        &self,
        name: &str,
        unit: &'static str,
        description: &str,
        observe: impl Fn(&Snapshot, Out<'_, u64>) + Send + Sync + 'static,
    ) {
        let last = Arc::clone(&self.last);
        self.meter
            .u64_observable_counter(name.to_owned())
            .with_unit(unit)
            .with_description(description.to_owned())
            .with_callback(move |out| observe(&read(&last), out))
            .build();
    }

    fn gauge(
        &self,
        name: &str,
        unit: &'static str,
        description: &str,
        observe: impl Fn(&Snapshot, Out<'_, u64>) + Send + Sync + 'static,
    ) {
        let last = Arc::clone(&self.last);
        self.meter
            .u64_observable_gauge(name.to_owned())
            .with_unit(unit)
            .with_description(description.to_owned())
            .with_callback(move |out| observe(&read(&last), out))
            .build();
    }
}

fn read(last: &Last) -> Arc<Snapshot> {
    Arc::clone(&last.read().unwrap_or_else(PoisonError::into_inner))
}

fn receiver(id: &str) -> KeyValue {
    KeyValue::new("receiver", id.to_owned())
}

/// Everything that was not observed, with the receiver's id.
fn unobserved(books: &Snapshot) -> impl Iterator<Item = (&str, &Unobserved)> {
    books.receivers.iter().flat_map(|(id, counts)| counts.unobserved.iter().map(move |u| (id.as_str(), u)))
}

fn of_unobserved(id: &str, lost: &Unobserved) -> Vec<KeyValue> {
    let mut labels =
        vec![receiver(id), KeyValue::new("place", lost.place), KeyValue::new("reason", lost.reason)];
    labels.extend(lost.cpu.map(|cpu| KeyValue::new("cpu", i64::from(cpu))));
    labels
}

fn ledger(key: &LedgerKey) -> Vec<KeyValue> {
    let mut labels = vec![
        KeyValue::new("pipeline", key.pipeline.clone()),
        KeyValue::new("signal", <&str>::from(key.signal)),
    ];
    labels.extend(key.exporter.clone().map(|exporter| KeyValue::new("exporter", exporter)));
    labels
}

/// A ledger's counters: one per outcome in `settled`, and one per reason for which such a ledger can drop items.
fn outcomes(out: Out<'_, u64>, key: &LedgerKey, counts: &Counts, settled: &[(&'static str, u64)]) {
    let labels = ledger(key);
    let with = |more: &[KeyValue]| [labels.as_slice(), more].concat();
    for &(outcome, items) in settled {
        out.observe(items, &with(&[KeyValue::new("outcome", outcome)]));
    }
    for reason in DropReason::iter() {
        let items = counts.dropped.get(&reason).copied().unwrap_or(0);
        if items > 0 || is_possible(reason, key) {
            let dropped =
                [KeyValue::new("outcome", "dropped"), KeyValue::new("reason", <&str>::from(reason))];
            out.observe(items, &with(&dropped));
        }
    }
}

/// Whether a ledger with this key can drop items for this reason.
fn is_possible(reason: DropReason, key: &LedgerKey) -> bool {
    match reason {
        DropReason::Shutdown | DropReason::Internal => true,
        DropReason::PipelineFull => key.exporter.is_none(),
        DropReason::ExporterFull
        | DropReason::QueueFull
        | DropReason::PermanentError
        | DropReason::RetriesExhausted
        | DropReason::Expired
        | DropReason::Storage
        | DropReason::TooLarge => key.exporter.is_some(),
    }
}

#[cfg(test)]
mod tests;
