//! Graphs of fake receivers and exporters: who gets what, who waits for whom, and how it ends.

#![allow(clippy::unwrap_used)]

mod fake;
mod order;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::fake::{Diary, FakeReceiver, Mode, Sink};
use super::{Failure, Graph, PIPELINE_CAPACITY, PipelineSpec, ProcessorConfig, ReceiverSpec, StartError};
use crate::books::{Books, Counts, DropReason, Signal};
use crate::component::{Batch, ReceiverError};
use crate::fixtures::{gap, record, record_to};
use crate::metric::Metric;
use crate::processors::{AggregateConfig, BatchConfig};
use crate::record::Record;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn spec(signal: Signal, processors: Vec<ProcessorConfig>, exporters: &[(&str, &Arc<Sink>)]) -> PipelineSpec {
    PipelineSpec {
        id: signal.to_string(),
        signal,
        receivers: vec!["source".to_owned()],
        processors: processors.into_iter().map(|config| (config.kind().to_string(), config)).collect(),
        exporters: exporters.iter().map(|(id, sink)| ((*id).to_owned(), Arc::clone(sink) as _)).collect(),
    }
}

fn source(receiver: &FakeReceiver) -> Vec<ReceiverSpec> {
    vec![ReceiverSpec { id: "source".to_owned(), receiver: Box::new(receiver.clone()) }]
}

fn filter(yaml: &str) -> ProcessorConfig {
    ProcessorConfig::Filter(serde_yaml::from_str(yaml).unwrap())
}

fn batch(send_batch_size: usize, timeout: Duration) -> ProcessorConfig {
    ProcessorConfig::Batch(BatchConfig { send_batch_size, timeout: timeout.into() })
}

fn to_port(port: u16) -> Record {
    record_to(([192, 0, 2, 7], port).into())
}

/// The counts of a pipeline's ledger, or of its exporter's.
fn counts(books: &Books, pipeline: &str, exporter: Option<&str>) -> Counts {
    let ledgers = books.snapshot().ledgers;
    let mut of = ledgers
        .into_iter()
        .filter(|(key, _)| key.pipeline == pipeline && key.exporter.as_deref() == exporter);
    of.next().unwrap().1
}

/// The binary may run a graph on any thread.
#[test]
fn a_graph_starts_and_stops_on_any_thread() {
    fn assert_send<T: Send>(_: &T) {}
    let books = Books::default();
    assert_send(&Graph::start(Vec::new(), Vec::new(), &books));
    assert_send(&Graph::default().finished());
    assert_send(&Graph::default().shutdown(Instant::now()));
}

/// Lets the paused clock run until something has happened.
async fn until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// After a shutdown, everything has become something.
fn assert_balanced(books: &Books) {
    for (key, counts) in books.snapshot().ledgers {
        assert_eq!((counts.in_flight(), counts.queued), (0, 0), "{key:?}: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_receiver_feeds_pipelines_of_both_signals() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (logs, metrics) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let pipelines = vec![
        spec(Signal::Logs, vec![filter("exclude: ['network.peer.port == 22']")], &[("out", &logs)]),
        spec(Signal::Metrics, vec![], &[("out", &metrics)]),
    ];
    let graph = Graph::start(source(&receiver.keeping(&diary)), pipelines, &books).await.unwrap();
    receiver.send((0..10).map(|n| to_port(if n < 3 { 22 } else { 443 })));
    graph.shutdown(Instant::now() + s(10)).await;

    assert_eq!(logs.items(), 7);
    let points = metrics.points();
    let segments: u64 = points.iter().filter(|p| p.metric == Metric::Retransmits).map(|p| p.value).sum();
    assert_eq!(segments, 20, "two segments each, also of those that logs leave out");

    let logs = counts(&books, "logs", None);
    assert_eq!((logs.accepted, logs.filtered, logs.passed), (10, 3, 7));
    let metrics = counts(&books, "metrics", None);
    assert_eq!((metrics.accepted, metrics.aggregated), (10, 10));
    assert_eq!(counts(&books, "metrics", Some("out")).delivered, 3);
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
    let pipelines = vec![
        spec(Signal::Logs, vec![filter("include: ['tcp.events == 12']")], &[("out", &logs)]),
        spec(Signal::Metrics, vec![], &[("out", &metrics)]),
    ];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send([record()]);
    receiver.send([gap()]);
    graph.shutdown(Instant::now() + s(10)).await;

    let Some(Batch::Logs(records)) = logs.batches().pop() else { panic!("no logs") };
    assert_eq!(*records, [gap()]);
    let points = metrics.points();
    let segments: u64 = points.iter().filter(|p| p.metric == Metric::Retransmits).map(|p| p.value).sum();
    assert_eq!(segments, 2 + 200);
    let (logs, metrics) = (counts(&books, "logs", None), counts(&books, "metrics", None));
    assert_eq!((logs.accepted, logs.filtered, logs.passed), (2, 1, 1));
    assert_eq!((metrics.accepted, metrics.aggregated), (2, 2));
    assert_eq!(books.snapshot().receivers[0].1.received, 1, "a gap is no event");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_full_branch_drops_alone() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (stuck, free) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let mut other = spec(Signal::Logs, vec![], &[("free", &free)]);
    other.id = "logs/free".to_owned();
    let pipelines = vec![spec(Signal::Logs, vec![], &[("stuck", &stuck)]), other];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();

    let total = PIPELINE_CAPACITY as u64 * 2;
    for n in 0..total {
        receiver.send([record()]);
        if n % 1000 == 999 {
            until(|| free.items() == n + 1).await;
        }
    }
    until(|| free.items() == total).await;
    let dropped = counts(&books, "logs", None).dropped;
    assert!(dropped[&DropReason::PipelineFull] >= total - PIPELINE_CAPACITY as u64 - 1024, "{dropped:?}");
    assert_eq!(counts(&books, "logs/free", None).dropped_total(), 0);

    graph.shutdown(Instant::now() + s(10)).await;
    assert_balanced(&books);
    assert_eq!(counts(&books, "logs", Some("stuck")).delivered, 0);
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_at_their_size_and_flushed_in_time() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let pipelines = vec![spec(Signal::Logs, vec![batch(4, s(1))], &[("out", &sink)])];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    let start = Instant::now();
    receiver.send(vec![record(); 10]);
    until(|| sink.items() == 10).await;
    assert_eq!(sink.sizes(), [4, 4, 2]);
    let waited = (Instant::now() - start).as_millis();
    assert!((1000..1010).contains(&waited), "{waited} ms");
    receiver.send(vec![record(); 3]);
    graph.shutdown(Instant::now() + s(10)).await;
    assert_eq!(sink.sizes(), [4, 4, 2, 3], "the last batch does not wait");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_are_reported_at_their_interval() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let config = AggregateConfig { interval: s(7).into(), ..AggregateConfig::default() };
    let aggregate = ProcessorConfig::Aggregate(config);
    let pipelines = vec![spec(Signal::Metrics, vec![aggregate, batch(2, s(1))], &[("out", &sink)])];
    let start = Instant::now();
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send([record()]);
    until(|| sink.items() == 3).await;
    let waited = (Instant::now() - start).as_millis();
    assert!((8000..8010).contains(&waited), "one interval and the batch's timeout: {waited} ms");
    assert_eq!(sink.sizes(), [2, 1]);
    graph.shutdown(Instant::now() + s(10)).await;
    assert_eq!(sink.sizes(), [2, 1, 2, 1], "the last window is reported");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_go_on_growing_while_an_exporter_makes_them_wait() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::HangUntilShutdown, &diary);
    let pipelines = vec![spec(Signal::Metrics, vec![], &[("out", &sink)])];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    let total = 3 * PIPELINE_CAPACITY as u64;
    for n in 1..=total {
        receiver.send([record()]);
        if n % 1000 == 0 {
            sleep(s(1)).await;
        }
    }
    until(|| counts(&books, "metrics", None).aggregated == total).await;
    assert_eq!(counts(&books, "metrics", None).dropped_total(), 0);
    assert_eq!(counts(&books, "metrics", Some("out")).accepted, 3, "one report hangs, none piles up");
    graph.shutdown(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn exporters_of_a_pipeline_work_at_the_same_time() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (stuck, free) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let exporters = [("stuck", &stuck), ("free", &free)];
    let pipelines = vec![spec(Signal::Logs, vec![batch(1, s(0))], &exporters)];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send(vec![record(); 5]);
    until(|| free.items() == 1).await;
    let start = Instant::now();
    graph.shutdown(start + s(10)).await;
    assert_eq!(free.items(), 5, "nothing is lost to the other one");
    assert_eq!(
        (Instant::now() - start).as_secs(),
        9,
        "a tenth of the time is left for what waited for the other one"
    );
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_comes_back_late_in_the_drain_gets_what_its_pipeline_holds() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let start = Instant::now();
    let sink = Sink::new(Mode::HangUntil(start + s(8)), &diary);
    let pipelines = vec![spec(Signal::Logs, vec![batch(1, s(0))], &[("out", &sink)])];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send(vec![record(); 5]);
    graph.shutdown(start + s(10)).await;
    assert_eq!(sink.items(), 5, "{:?}", counts(&books, "logs", Some("out")));
    assert_eq!((Instant::now() - start).as_secs(), 8);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn what_the_deadline_cuts_off_is_counted() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Hang, &diary);
    let pipelines = vec![spec(Signal::Logs, vec![batch(10, s(1))], &[("out", &sink)])];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send(vec![record(); 25]);
    let start = Instant::now();
    graph.shutdown(start + s(10)).await;
    let took = (Instant::now() - start).as_secs();
    assert!((10..=11).contains(&took), "{took} s");
    assert_balanced(&books);
    let (pipeline, exporter) = (counts(&books, "logs", None), counts(&books, "logs", Some("out")));
    assert_eq!((pipeline.accepted, pipeline.passed), (25, exporter.accepted));
    assert_eq!(pipeline.dropped_total() + exporter.dropped[&DropReason::Shutdown], 25);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_start_stops_everything() {
    for panics in [false, true] {
        let (books, diary) = (Books::default(), Diary::default());
        let good = FakeReceiver::default().keeping(&diary);
        let bad = FakeReceiver::broken("no BTF", panics);
        let sink = Sink::new(Mode::Deliver, &diary);
        let mut pipeline = spec(Signal::Logs, vec![], &[("out", &sink)]);
        pipeline.receivers.push("bad".to_owned());
        let mut receivers = source(&good);
        receivers.push(ReceiverSpec { id: "bad".to_owned(), receiver: Box::new(bad) });
        let Err(StartError::Receiver { id, source }) = Graph::start(receivers, vec![pipeline], &books).await
        else {
            panic!("it started");
        };
        assert_eq!(id, "bad");
        match source {
            ReceiverError::Unsupported(why) => assert!(!panics && why == "no BTF"),
            ReceiverError::Failed(why) => assert!(panics && why.contains("panic"), "{why}"),
            ReceiverError::Configuration(why) => panic!("{why}"),
        }
        assert_eq!(diary.read(), ["started", "stopped", "shut down"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_graph_that_makes_no_sense_is_refused_before_anything_starts() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut pipeline = spec(Signal::Logs, vec![], &[("out", &sink)]);
    pipeline.receivers = vec!["sauce".to_owned()];
    let Err(error) = Graph::start(source(&receiver.keeping(&diary)), vec![pipeline], &books).await else {
        panic!("it started");
    };
    assert_eq!(error.to_string(), "pipeline `logs`: `sauce`: there is no such receiver");
    assert_eq!(diary.read(), ["shut down"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_nobody_names_is_not_started() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let idle = FakeReceiver::default().keeping(&diary);
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut receivers = source(&receiver);
    receivers.push(ReceiverSpec { id: "idle".to_owned(), receiver: Box::new(idle) });
    let pipelines = vec![spec(Signal::Logs, vec![], &[("out", &sink)])];
    let graph = Graph::start(receivers, pipelines, &books).await.unwrap();
    graph.shutdown(Instant::now() + s(1)).await;
    assert_eq!(diary.read(), ["shut down"]);
    assert_eq!(books.snapshot().receivers.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_dies_is_named() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let pipelines = vec![spec(Signal::Logs, vec![], &[("out", &sink)])];
    let mut graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    assert!(futures::poll!(Box::pin(graph.finished())).is_pending(), "all is well");
    receiver.send(vec![record(); 3]);
    receiver.die();
    assert_eq!(graph.finished().await, Err(Failure::Receiver("source".to_owned())));
    graph.shutdown(Instant::now() + s(1)).await;
    assert_eq!(sink.items(), 3, "what it had sent is delivered");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_graph_has_finished_when_all_of_its_receivers_have() {
    let (books, diary) = (Books::default(), Diary::default());
    let (first, second) = (FakeReceiver::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let other = PipelineSpec { id: "logs/other".to_owned(), ..spec(Signal::Logs, vec![], &[("out", &sink)]) };
    let mut pipelines = vec![spec(Signal::Logs, vec![], &[("out", &sink)]), other];
    pipelines[1].receivers = vec!["second".to_owned()];
    let mut receivers = source(&first);
    receivers.push(ReceiverSpec { id: "second".to_owned(), receiver: Box::new(second.clone()) });
    let mut graph = Graph::start(receivers, pipelines, &books).await.unwrap();
    first.send(vec![record(); 3]);
    first.finish();
    // Its pipeline ends with it, which is no failure either.
    let waited = tokio::time::timeout(s(60), graph.finished()).await;
    assert!(waited.is_err(), "the second has not finished: {waited:?}");
    second.send(vec![record(); 4]);
    second.finish();
    assert_eq!(graph.finished().await, Ok(()));
    graph.shutdown(Instant::now() + s(1)).await;
    assert_eq!(sink.items(), 7);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn who_can_wait_loses_nothing_to_a_full_pipeline() {
    let (books, diary) = (Books::default(), Diary::default());
    let patient = FakeReceiver::patient();
    let (slow, fast) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let pipelines = vec![
        spec(Signal::Logs, vec![], &[("slow", &slow)]),
        spec(Signal::Metrics, vec![], &[("fast", &fast)]),
    ];
    let graph = Graph::start(source(&patient), pipelines, &books).await.unwrap();
    let events = 3 * PIPELINE_CAPACITY;
    for _ in 0..events {
        if tokio::time::timeout(s(1), patient.send_waiting(record())).await.is_err() {
            break; // everything is full, up to the source
        }
    }
    assert_eq!(counts(&books, "logs", None).dropped_total(), 0);
    assert!(counts(&books, "logs", None).accepted < events as u64, "nothing had to wait");
    graph.shutdown(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_contained_and_counted() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (sink, other) = (Sink::new(Mode::Panic, &diary), Sink::new(Mode::Deliver, &diary));
    let pipelines = vec![
        spec(Signal::Logs, vec![], &[("out", &sink)]),
        spec(Signal::Metrics, vec![], &[("out", &other)]),
    ];
    let mut graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send(vec![record(); 3]);
    assert_eq!(graph.finished().await, Err(Failure::Pipeline("logs".to_owned())));
    receiver.send(vec![record(); 4]);
    graph.shutdown(Instant::now() + s(1)).await;
    assert_balanced(&books);
    let (pipeline, exporter) = (counts(&books, "logs", None), counts(&books, "logs", Some("out")));
    assert_eq!(pipeline.accepted, 7);
    let lost = |counts: &Counts| counts.dropped.get(&DropReason::Internal).copied().unwrap_or(0);
    assert_eq!(lost(&pipeline) + lost(&exporter), 7);
    assert_eq!(counts(&books, "metrics", None).aggregated, 7);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_of_two_pipelines_is_shut_down_once() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut second = spec(Signal::Logs, vec![], &[("out", &sink)]);
    second.id = "logs/second".to_owned();
    let pipelines = vec![spec(Signal::Logs, vec![], &[("out", &sink)]), second];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send([record()]);
    graph.shutdown(Instant::now() + s(1)).await;
    assert_eq!(diary.read(), ["shut down"]);
    assert_eq!(sink.items(), 2, "each pipeline sends its own");
    assert_eq!(counts(&books, "logs/second", Some("out")).delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn chunks_without_batch_go_out_as_they_come() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let all_filtered = filter("include: ['network.peer.port == 1']");
    let pipelines = vec![spec(Signal::Logs, vec![all_filtered], &[("out", &sink)])];
    let graph = Graph::start(source(&receiver), pipelines, &books).await.unwrap();
    receiver.send([to_port(2)]);
    receiver.send([to_port(1)]);
    graph.shutdown(Instant::now() + s(1)).await;
    assert_eq!(sink.sizes(), [1], "no empty batches");
    let Some(Batch::Logs(records)) = sink.batches().pop() else { panic!("no logs") };
    assert_eq!(*records, [to_port(1)]);
}
