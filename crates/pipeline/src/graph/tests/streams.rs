//! Which items each pipeline and exporter gets, and which part waits for which.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::fake::{Diary, FakeReceiver, Mode, Sink};
use super::{
    Wanted, ZEROS, aggregate, aggregate_every, assert_balanced, batch, counts, filter, s, to_port, until,
};
use crate::books::{Books, DropReason};
use crate::component::Batch;
use crate::fixtures::{gap, point, record};
use crate::graph::limits::{OUTLET_CAPACITY, PIPELINE_CAPACITY};
use crate::metric::MetricPoint;
use crate::processors::{AggregateConfig, RETRANSMITS};

fn is_segments(point: &MetricPoint) -> bool {
    point.descriptor == &RETRANSMITS
}

/// The sum over all points.
fn segments(points: &[MetricPoint]) -> u64 {
    points.iter().filter(|point| is_segments(point)).map(|point| point.reading().value).sum()
}

#[tokio::test(start_paused = true)]
async fn one_receiver_feeds_pipelines_of_both_signals() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (logs, metrics) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let wanted = Wanted::from(&receiver.keeping(&diary))
        .pipeline("logs", vec![filter("exclude: ['network.peer.port == 22']")], &[("out", &logs)])
        .pipeline("metrics", vec![], &[("out", &metrics)]);
    let mut graph = wanted.start(&books).await;
    receiver.send((0..10).map(|n| to_port(if n < 3 { 22 } else { 443 })));
    graph.stop(Instant::now() + s(10)).await;

    assert_eq!(logs.items(), 7);
    let points = metrics.points();
    assert_eq!(segments(&points), 20, "two segments per record, filtered or not");

    let logs = counts(&books, "logs", None);
    assert_eq!((logs.accepted, logs.filtered, logs.passed), (10, 3, 7));
    let metrics = counts(&books, "metrics", None);
    assert_eq!((metrics.accepted, metrics.aggregated), (10, 10));
    let (zeros, last) = points.split_at(ZEROS);
    assert!(zeros.iter().all(|point| point.reading().value == 0));
    assert_eq!(last.iter().filter(|point| point.reading().value > 0).count(), 3);
    assert_eq!(counts(&books, "metrics", Some("out")).delivered, 2 * ZEROS as u64);
    assert_balanced(&books);

    let (id, source) = books.snapshot().receivers.remove(0);
    assert_eq!((id.as_str(), source.seen, source.received), ("source", 77, 10));
    let lost: Vec<_> = source.unobserved.iter().map(|u| (u.place, u.reason, u.events, u.segments)).collect();
    assert_eq!(lost, [("kernel", "ring_full", 5, None)]);
    assert_eq!(diary.read(), ["started", "stopped", "shut down", "shut down"]);
}

#[tokio::test(start_paused = true)]
async fn a_gap_goes_to_pipelines_of_both_signals() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (logs, metrics) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let wanted = Wanted::from(&receiver)
        .pipeline("logs", vec![filter("include: ['tcp.events == 12']")], &[("out", &logs)])
        .pipeline("metrics", vec![], &[("out", &metrics)]);
    let mut graph = wanted.start(&books).await;
    receiver.send([record(), gap()]);
    graph.stop(Instant::now() + s(10)).await;

    let Some(Batch::Logs(records)) = logs.batches().pop() else { panic!("no logs") };
    assert!(records.iter().eq(&[gap()]));
    assert_eq!(segments(&metrics.points()), 2 + 200);
    let (logs, metrics) = (counts(&books, "logs", None), counts(&books, "metrics", None));
    assert_eq!((logs.accepted, logs.filtered, logs.passed), (2, 1, 1));
    assert_eq!((metrics.accepted, metrics.aggregated), (2, 2));
    assert_eq!(books.snapshot().receivers[0].1.received, 1, "a gap is not an event");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_exporter_does_not_delay_another() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (stuck, free) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let exporters = [("stuck", &stuck), ("free", &free)];
    let mut graph = Wanted::from(&receiver).pipeline("logs", vec![], &exporters).start(&books).await;

    let total = 3 * OUTLET_CAPACITY as u64;
    for n in 0..total {
        receiver.send([record()]);
        if n % 1000 == 999 {
            until(|| free.items() == n + 1).await;
        }
    }
    until(|| free.items() == total).await;
    assert_eq!(counts(&books, "logs", None).dropped_total(), 0);
    assert_eq!(counts(&books, "logs", Some("free")).dropped_total(), 0);
    let dropped = counts(&books, "logs", Some("stuck")).dropped;
    let least = total - OUTLET_CAPACITY as u64 - 1024; // one chunk is with the exporter
    assert_eq!(dropped.keys().collect::<Vec<_>>(), [&DropReason::ExporterFull]);
    assert!(dropped[&DropReason::ExporterFull] >= least, "{dropped:?}");

    graph.stop(Instant::now() + s(10)).await;
    assert_balanced(&books);
    assert_eq!(counts(&books, "logs", Some("stuck")).delivered, 0);
}

/// The same in a metrics pipeline: the other exporter gets each report, and records are still added to the sums.
#[tokio::test(start_paused = true)]
async fn a_stuck_exporter_of_metrics_does_not_delay_another() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (stuck, free) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let exporters = [("stuck", &stuck), ("free", &free)];
    let mut graph = Wanted::from(&receiver).pipeline("metrics", vec![], &exporters).start(&books).await;
    for reports in 1..=5 {
        receiver.send([record()]);
        let is_reported = |point: &MetricPoint| is_segments(point) && point.reading().value == 2 * reports;
        until(|| free.points().iter().any(is_reported)).await;
    }
    assert_eq!(counts(&books, "metrics", None).aggregated, 5);
    graph.stop(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_at_their_size_and_flushed_in_time() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![batch(4, s(1))], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    let start = Instant::now();
    receiver.send(vec![record(); 10]);
    until(|| sink.items() == 10).await;
    assert_eq!(sink.sizes(), [4, 4, 2]);
    let waited = (Instant::now() - start).as_millis();
    assert!((1000..1010).contains(&waited), "{waited} ms");
    receiver.send(vec![record(); 3]);
    graph.stop(Instant::now() + s(10)).await;
    assert_eq!(sink.sizes(), [4, 4, 2, 3], "the last batch does not wait");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_are_reported_at_their_interval() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver).pipeline(
        "metrics",
        vec![aggregate_every(7), batch(100, s(1))],
        &[("out", &sink)],
    );
    let start = Instant::now();
    let mut graph = wanted.start(&books).await;
    receiver.send([record()]);
    for (report, least) in [(1, 1000), (2, 8000)] {
        until(|| sink.items() == report * ZEROS as u64).await;
        let waited = (Instant::now() - start).as_millis();
        assert!((least..least + 10).contains(&waited), "an interval and the batch's timeout: {waited} ms");
    }
    let one = [100, ZEROS - 100];
    assert_eq!(sink.sizes(), [one, one].concat());
    graph.stop(Instant::now() + s(10)).await;
    assert_eq!(sink.sizes(), [one; 3].concat(), "the last window is reported");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_go_on_growing_while_an_exporter_hangs() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::HangUntilShutdown, &diary);
    let wanted = Wanted::from(&receiver).pipeline("metrics", vec![], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    let total = 3 * PIPELINE_CAPACITY as u64;
    for n in 1..=total {
        receiver.send([record()]);
        if n % 1000 == 0 {
            sleep(s(1)).await;
        }
    }
    until(|| counts(&books, "metrics", None).aggregated == total).await;
    assert_eq!(counts(&books, "metrics", None).dropped_total(), 0);
    graph.stop(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

/// All batches of a report come at once. An exporter that keeps up gets each of them.
#[tokio::test(start_paused = true)]
async fn a_report_of_many_series_finds_room() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let attributes = vec!["network.peer.port".parse().unwrap()];
    let config = AggregateConfig { max_series: 10_000, attributes, ..AggregateConfig::default() };
    let processors = vec![aggregate(config), batch(1000, s(1))];
    let mut graph =
        Wanted::from(&receiver).pipeline("metrics", processors, &[("out", &sink)]).start(&books).await;
    for part in 0..3 {
        receiver.send((0..3000).map(|n| to_port(1 + 3000 * part + n)));
        until(|| counts(&books, "metrics", None).aggregated == 3000 * (u64::from(part) + 1)).await;
    }
    graph.stop(Instant::now() + s(10)).await;
    assert!(sink.items() > 2 * OUTLET_CAPACITY as u64);
    assert_eq!(counts(&books, "metrics", Some("out")).dropped_total(), 0);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_can_wait_loses_nothing_to_a_full_pipeline() {
    let (books, diary) = (Books::default(), Diary::default());
    let patient = FakeReceiver::patient();
    let (slow, fast) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let wanted = Wanted::from(&patient).pipeline("logs", vec![], &[("slow", &slow)]).pipeline(
        "metrics",
        vec![],
        &[("fast", &fast)],
    );
    let mut graph = wanted.start(&books).await;
    let events = 3 * (PIPELINE_CAPACITY + OUTLET_CAPACITY);
    for _ in 0..events {
        if timeout(s(1), patient.send_waiting(record())).await.is_err() {
            break; // everything is full, including the channel of the receiver
        }
    }
    let (pipeline, exporter) = (counts(&books, "logs", None), counts(&books, "logs", Some("slow")));
    assert_eq!((pipeline.dropped_total(), exporter.dropped_total()), (0, 0));
    assert!(pipeline.accepted < events as u64, "the receiver did not have to wait");
    graph.stop(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn without_batch_each_chunk_is_a_batch() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let to_one = filter("include: ['network.peer.port == 1']");
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![to_one], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    receiver.send([to_port(2)]);
    sleep(Duration::from_millis(1)).await;
    receiver.send([to_port(1)]);
    graph.stop(Instant::now() + s(1)).await;
    assert_eq!(sink.sizes(), [1], "no empty batches");
    let Some(Batch::Logs(records)) = sink.batches().pop() else { panic!("no logs") };
    assert!(records.iter().eq(&[to_port(1)]));
}

#[tokio::test(start_paused = true)]
async fn a_receivers_own_points_enter_metrics_pipelines_behind_the_sums() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver).points("stats", point(42, 42)).pipeline_of(
        &["source", "stats"],
        "metrics",
        vec![batch(1000, s(1))],
        &[("out", &sink)],
    );
    let mut graph = wanted.start(&books).await;
    until(|| sink.points().contains(&point(42, 42))).await;
    receiver.send([record()]);
    graph.stop(Instant::now() + s(10)).await;
    let pipeline = counts(&books, "metrics", None);
    assert_eq!((pipeline.accepted, pipeline.aggregated), (1, 1), "points are not records");
    assert_eq!(counts(&books, "metrics", Some("out")).delivered, sink.items());
    assert_eq!(sink.points().iter().filter(|of| **of == point(42, 42)).count(), 1);
    assert_balanced(&books);
}
