//! What a reader of the instruments sees.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use super::Observed;
use crate::books::{
    Books, DropReason, GapCounts, LedgerKey, QueueCounts, ReceiverCounts, Signal, Unobserved,
};

/// `name{label=value,…}` -> value, labels in order of their names.
type Seen = BTreeMap<String, u64>;

struct Reader {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
    observed: Observed,
}

impl Reader {
    fn new(books: &Books) -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let observed = Observed::register(&provider.meter("test"), "own", books);
        Reader { provider, exporter, observed }
    }

    /// Collects without reading the books again.
    fn collect(&self) -> Seen {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let mut seen = Seen::new();
        for resource in self.exporter.get_finished_metrics().unwrap() {
            for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
                let AggregatedMetrics::U64(data) = metric.data() else {
                    panic!("{} is not u64", metric.name())
                };
                let mut add = |labels: Vec<&KeyValue>, value| {
                    let mut labels: Vec<_> =
                        labels.iter().map(|l| format!("{}={}", l.key, l.value)).collect();
                    labels.sort();
                    seen.insert(format!("{}{{{}}}", metric.name(), labels.join(",")), value);
                };
                match data {
                    MetricData::Sum(sum) => {
                        assert!(sum.is_monotonic());
                        sum.data_points().for_each(|p| add(p.attributes().collect(), p.value()));
                    }
                    MetricData::Gauge(gauge) => {
                        gauge.data_points().for_each(|p| add(p.attributes().collect(), p.value()));
                    }
                    _ => panic!("{} is no sum and no gauge", metric.name()),
                }
            }
        }
        seen
    }

    fn scrape(&self) -> Seen {
        self.observed.refresh();
        self.collect()
    }
}

fn key(pipeline: &str, signal: Signal, exporter: Option<&str>) -> LedgerKey {
    LedgerKey { pipeline: pipeline.to_owned(), signal, exporter: exporter.map(str::to_owned) }
}

#[test]
fn receivers() {
    let books = Books::default();
    let unobserved =
        |place, reason, cpu, events, segments| Unobserved { place, reason, cpu, events, segments };
    books.add_receiver("src", move || ReceiverCounts {
        makes_points: false,
        seen: 100,
        received: 90,
        received_segments: 0,
        unobserved: vec![
            unobserved("kernel", "ring_full", Some(0), 4, Some(90)),
            unobserved("kernel", "ring_full", Some(1), 0, Some(0)),
            unobserved("channel", "channel_full", None, 6, None),
        ],
        gaps: GapCounts { records: 2, events: 3, segments: 80 },
        info: vec![("hook", "tp_btf".to_owned()), ("transport", "ringbuf".to_owned())],
        gauges: vec![("ring_bytes", "By", 4096)],
    });
    let expected: Seen = [
        ("otelcol_receiver_accepted_log_records{receiver=src}", 90),
        ("otelcol_receiver_refused_log_records{receiver=src}", 6),
        ("own_kernel_events{receiver=src}", 100),
        ("own_unobserved_events{cpu=0,place=kernel,reason=ring_full,receiver=src}", 4),
        ("own_unobserved_events{cpu=1,place=kernel,reason=ring_full,receiver=src}", 0),
        ("own_unobserved_events{place=channel,reason=channel_full,receiver=src}", 6),
        ("own_unobserved_segments{cpu=0,place=kernel,reason=ring_full,receiver=src}", 90),
        ("own_unobserved_segments{cpu=1,place=kernel,reason=ring_full,receiver=src}", 0),
        ("own_gap_events{receiver=src}", 3),
        ("own_gap_segments{receiver=src}", 80),
        ("own_receiver_info{hook=tp_btf,receiver=src,transport=ringbuf}", 1),
        ("own_ring_bytes{receiver=src}", 4096),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    assert_eq!(Reader::new(&books).scrape(), expected);
}

#[test]
fn a_receiver_of_points_has_the_collectors_names_for_points() {
    let books = Books::default();
    books.add_receiver("stats", || ReceiverCounts {
        makes_points: true,
        received: 7,
        ..ReceiverCounts::default()
    });
    let expected: Seen = [
        ("otelcol_receiver_accepted_metric_points{receiver=stats}".to_owned(), 7),
        ("otelcol_receiver_refused_metric_points{receiver=stats}".to_owned(), 0),
        ("own_receiver_info{receiver=stats}".to_owned(), 1),
    ]
    .into();
    assert_eq!(Reader::new(&books).scrape(), expected);
}

#[test]
fn every_counter_is_there_from_the_start() {
    let books = Books::default();
    for (signal, pipeline) in [(Signal::Logs, "logs"), (Signal::Metrics, "metrics")] {
        books.open(key(pipeline, signal, None));
        books.open(key(pipeline, signal, Some("otlp")));
    }
    let seen = Reader::new(&books).scrape();
    assert!(seen.values().all(|value| *value == 0));
    let names: Vec<_> = seen.keys().map(String::as_str).collect();
    for (signal, items) in [("logs", "log_records"), ("metrics", "metric_points")] {
        for kind in ["sent", "send_failed", "enqueue_failed"] {
            let name = format!("otelcol_exporter_{kind}_{items}{{exporter=otlp}}");
            assert!(names.contains(&name.as_str()), "{name}");
        }
        for outcome in ["accepted", "passed", "filtered", "aggregated"] {
            let name = format!("own_pipeline_records{{outcome={outcome},pipeline={signal},signal={signal}}}");
            assert!(names.contains(&name.as_str()), "{name}");
        }
        for (of, reasons) in [
            ("own_pipeline_records{", &["pipeline_full", "shutdown", "internal"][..]),
            (
                "own_exporter_items{exporter=otlp,",
                &[
                    "exporter_full",
                    "queue_full",
                    "permanent_error",
                    "retries_exhausted",
                    "expired",
                    "storage",
                    "too_large",
                    "shutdown",
                    "internal",
                ],
            ),
        ] {
            for reason in reasons {
                let name = format!("{of}outcome=dropped,pipeline={signal},reason={reason},signal={signal}}}");
                assert!(names.contains(&name.as_str()), "{name}");
            }
        }
    }
    // 6 of the Collector's, (4 + 3) and (5 + 9) counters, and 1 and 2 gauges per signal.
    assert_eq!(names.len(), 6 + 2 * (7 + 14 + 3));
}

#[test]
fn the_collectors_counters_add_up_an_exporters_pipelines() {
    let books = Books::default();
    for pipeline in ["logs", "logs/2"] {
        let ledger = books.open(key(pipeline, Signal::Logs, Some("otlp")));
        ledger.accept(105);
        ledger.deliver(20, 1);
        for (items, reason) in [
            (2, DropReason::QueueFull),
            (3, DropReason::PermanentError),
            (4, DropReason::RetriesExhausted),
            (5, DropReason::TooLarge),
            (6, DropReason::Shutdown),
            (7, DropReason::Expired),
            (8, DropReason::Storage),
        ] {
            ledger.drop_items(items, reason);
        }
        ledger.enqueue(50);
    }
    books.open(key("logs", Signal::Logs, Some("debug"))).deliver(7, 0);
    let seen = Reader::new(&books).scrape();
    assert_eq!(seen["otelcol_exporter_sent_log_records{exporter=otlp}"], 38);
    assert_eq!(seen["otelcol_exporter_send_failed_log_records{exporter=otlp}"], 2 * (1 + 3 + 4 + 5 + 6 + 7));
    assert_eq!(seen["otelcol_exporter_enqueue_failed_log_records{exporter=otlp}"], 2 * (2 + 8));
    assert_eq!(seen["otelcol_exporter_sent_log_records{exporter=debug}"], 7);
    let of = "exporter=otlp,pipeline=logs/2,signal=logs}";
    assert_eq!(seen[&format!("own_exporter_queued_items{{{of}")], 50);
    assert_eq!(seen[&format!("own_exporter_in_flight_items{{{of}")], 0);
    assert!(!seen.keys().any(|name| name.contains("metric_points")));
}

#[test]
fn queues_are_in_bytes() {
    let books = Books::default();
    books.add_queue("otlp".to_owned(), Signal::Metrics, || QueueCounts { size: 3, capacity: 64 });
    let seen = Reader::new(&books).scrape();
    assert_eq!(seen["otelcol_exporter_queue_size{data_type=metrics,exporter=otlp}"], 3);
    assert_eq!(seen["otelcol_exporter_queue_capacity{data_type=metrics,exporter=otlp}"], 64);
}

#[test]
fn a_collection_shows_the_last_refresh_only() {
    let (books, now) = (Books::default(), Arc::new(AtomicU64::new(1)));
    let probed = Arc::clone(&now);
    books.add_receiver("src", move || ReceiverCounts {
        seen: probed.load(Ordering::SeqCst),
        ..ReceiverCounts::default()
    });
    let reader = Reader::new(&books);
    now.store(2, Ordering::SeqCst);
    assert_eq!(reader.collect()["own_kernel_events{receiver=src}"], 1);
    assert_eq!(reader.scrape()["own_kernel_events{receiver=src}"], 2);
}

#[test]
fn components_that_are_added_later_are_shown_too() {
    let books = Books::default();
    let reader = Reader::new(&books);
    assert!(reader.scrape().is_empty());
    books.add_receiver("src", || ReceiverCounts {
        gauges: vec![("pages_per_cpu", "{page}", 8)],
        ..ReceiverCounts::default()
    });
    assert_eq!(reader.scrape()["own_pages_per_cpu{receiver=src}"], 8);
    assert_eq!(reader.scrape()["own_pages_per_cpu{receiver=src}"], 8, "registered once");
}
