//! How a graph starts and how it ends: in order, in time, and with books that balance.

use tokio::time::{Instant, timeout};

use super::fake::{Diary, FakeReceiver, Mode, Sink, SinkConfig};
use super::{Wanted, assert_balanced, batch, counts, graph, s, until};
use crate::books::{Books, Counts, DropReason};
use crate::component::{Produces, ReceiverError};
use crate::fixtures::record;
use crate::graph::{Failure, StartError};

/// The binary may run a graph on any thread, so a graph must be `Send`.
#[test]
fn a_graph_starts_and_stops_on_any_thread() {
    fn assert_send<T: Send>(_: &T) {}
    let mut graph = graph(&Books::default());
    assert_send(&graph.apply(Wanted::default().0, Instant::now()));
    assert_send(&graph.finished());
    assert_send(&graph.stop(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn exporters_of_a_pipeline_work_at_the_same_time() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (stuck, free) = (Sink::new(Mode::HangUntilShutdown, &diary), Sink::new(Mode::Deliver, &diary));
    let exporters = [("stuck", &stuck), ("free", &free)];
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![batch(1, s(0))], &exporters);
    let mut graph = wanted.start(&books).await;
    receiver.send(vec![record(); 5]);
    until(|| free.items() == 5).await;
    let start = Instant::now();
    graph.stop(start + s(10)).await;
    assert_eq!(free.items(), 5, "nothing is lost to the other one");
    assert_eq!((Instant::now() - start).as_secs(), 9, "a tenth of the time is left for the exporters");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_comes_back_late_in_the_drain_gets_everything_from_its_pipeline() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let start = Instant::now();
    let sink = Sink::new(Mode::HangUntil(start + s(8)), &diary);
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![batch(1, s(0))], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    receiver.send(vec![record(); 5]);
    graph.stop(start + s(10)).await;
    assert_eq!(sink.items(), 5, "{:?}", counts(&books, "logs", Some("out")));
    assert_eq!((Instant::now() - start).as_secs(), 8);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn items_that_are_left_at_the_deadline_are_counted() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Hang, &diary);
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![batch(10, s(1))], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    receiver.send(vec![record(); 25]);
    let start = Instant::now();
    graph.stop(start + s(10)).await;
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
        let wanted = Wanted::default().receiver("a", &good).receiver("bad", &bad);
        let wanted = wanted.pipeline_of(&["a", "bad"], "metrics", vec![], &[("out", &sink)]);
        let result = graph(&books).apply(wanted.0, Instant::now() + s(10)).await;
        let Err(StartError::Receiver { id, source }) = result else { panic!("{result:?}") };
        assert_eq!(id, "bad");
        match source {
            ReceiverError::Unsupported(why) => assert!(!panics && why == "no BTF"),
            ReceiverError::Failed(why) => assert!(panics && why.contains("panic"), "{why}"),
            ReceiverError::Configuration(why) => panic!("{why}"),
        }
        assert_eq!(diary.read(), ["started", "stopped", "shut down"]);
        assert_eq!(sink.items(), 0, "a 0 would be wrong, since nothing is seen");
    }
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_does_not_start_stops_everything() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut wanted =
        Wanted::from(&receiver.keeping(&diary)).pipeline("logs", vec![], &[("out", &sink), ("x", &sink)]);
    *wanted.0.exporters.values_mut().next_back().unwrap() = SinkConfig::Broken;
    let result = graph(&books).apply(wanted.0, Instant::now() + s(10)).await;
    assert_eq!(result.unwrap_err().to_string(), "x is broken");
    assert_eq!(diary.read(), ["shut down"], "the receiver was not started");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_not_valid_is_refused_before_anything_starts() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver.keeping(&diary));
    let wanted = wanted.pipeline_of(&["sauce"], "logs", vec![], &[("out", &sink)]);
    let result = graph(&books).apply(wanted.0, Instant::now() + s(10)).await;
    let expected = "pipeline `logs`: there is no sauce in receivers; expected source; did you mean source?";
    assert_eq!(result.unwrap_err().to_string(), expected);
    assert!(diary.read().is_empty());
}

/// Such a plan could connect a receiver of metric points to a pipeline of logs.
#[tokio::test(start_paused = true)]
async fn a_plan_that_is_wrong_about_what_a_receiver_makes_does_not_start() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut wanted = Wanted::from(&receiver).pipeline("metrics", vec![], &[("out", &sink)]);
    wanted.0.receivers.get_mut("source").unwrap().produces = Produces::Points;
    let error = graph(&books).apply(wanted.0, Instant::now() + s(10)).await.unwrap_err().to_string();
    assert!(error.starts_with("receiver `source`: it makes records, and its plan says points"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_error_names_a_receiver_that_ends_by_itself() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut graph = Wanted::from(&receiver).pipeline("logs", vec![], &[("out", &sink)]).start(&books).await;
    assert!(futures::poll!(Box::pin(graph.finished())).is_pending(), "nothing has failed");
    receiver.send(vec![record(); 3]);
    receiver.die();
    assert_eq!(graph.finished().await, Err(Failure::Receiver("source".to_owned())));
    graph.stop(Instant::now() + s(1)).await;
    assert_eq!(sink.items(), 3, "the records that it had sent are delivered");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_graph_has_finished_when_all_of_its_receivers_have() {
    let (books, diary) = (Books::default(), Diary::default());
    let (first, second) = (FakeReceiver::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&first).receiver("second", &second);
    let wanted = wanted.pipeline("logs", vec![], &[("out", &sink)]);
    let wanted = wanted.pipeline_of(&["second"], "logs/other", vec![], &[("out", &sink)]);
    let mut graph = wanted.start(&books).await;
    first.send(vec![record(); 3]);
    first.finish();
    let waited = timeout(s(60), graph.finished()).await;
    assert!(waited.is_err(), "the second has not finished: {waited:?}");
    second.send(vec![record(); 4]);
    second.finish();
    assert_eq!(graph.finished().await, Ok(()));
    graph.stop(Instant::now() + s(1)).await;
    assert_eq!(sink.items(), 7);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_panic_stops_only_one_part_and_its_items_are_counted() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (sink, other) = (Sink::new(Mode::Panic, &diary), Sink::new(Mode::Deliver, &diary));
    let wanted = Wanted::from(&receiver)
        .pipeline("logs", vec![], &[("out", &sink), ("other", &other)])
        .pipeline("metrics", vec![], &[("other", &other)]);
    let mut graph = wanted.start(&books).await;
    receiver.send(vec![record(); 3]);
    let failure = Failure::Outlet { pipeline: "logs".to_owned(), exporter: "out".to_owned() };
    assert_eq!(graph.finished().await, Err(failure));
    receiver.send(vec![record(); 4]);
    graph.stop(Instant::now() + s(1)).await;
    assert_balanced(&books);
    let lost = |counts: &Counts| counts.dropped.get(&DropReason::Internal).copied().unwrap_or(0);
    assert_eq!(lost(&counts(&books, "logs", Some("out"))), 7);
    assert_eq!(counts(&books, "logs", Some("other")).delivered, 7, "the other exporter goes on");
    assert_eq!(counts(&books, "metrics", None).aggregated, 7);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_of_two_pipelines_is_shut_down_once() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![], &[("out", &sink)]).pipeline(
        "logs/second",
        vec![],
        &[("out", &sink)],
    );
    let mut graph = wanted.start(&books).await;
    receiver.send([record()]);
    graph.stop(Instant::now() + s(1)).await;
    assert_eq!(diary.read(), ["shut down"]);
    assert_eq!(sink.items(), 2, "each pipeline sends its own");
    assert_eq!(counts(&books, "logs/second", Some("out")).delivered, 1);
}
