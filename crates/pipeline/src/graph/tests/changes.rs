//! Changes from one plan to the next while the graph runs.

use std::sync::Arc;

use tokio::time::Instant;

use super::fake::{Diary, FakeReceiver, Mode, Sink};
use super::{
    Wanted, aggregate, aggregate_every, assert_balanced, batch, counts, filter, graph, s, to_port, until,
};
use crate::books::Books;
use crate::fixtures::record;
use crate::metric::MetricPoint;
use crate::processors::{AggregateConfig, RETRANSMITS};

fn deadline() -> Instant {
    Instant::now() + s(10)
}

/// The points of the sum of segments that a sink got: start and value of each.
fn segments(sink: &Arc<Sink>) -> Vec<(u64, u64)> {
    let counted = |point: &MetricPoint| point.descriptor == &RETRANSMITS && point.total.value > 0;
    let points = sink.points().into_iter().filter(counted);
    points.map(|point| (point.total.start_unix_nano, point.total.value)).collect()
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_equal_in_both_plans_go_on_unchanged() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let wanted = Wanted::from(&receiver.keeping(&diary)).pipeline("logs", vec![], &[("out", &sink)]);
    let mut graph = wanted.clone().start(&books).await;
    receiver.send([record()]);
    graph.apply(wanted.0, deadline()).await.unwrap();
    receiver.send([record()]);
    until(|| sink.items() == 2).await;
    assert_eq!(diary.read(), ["started"]);
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_comes_and_goes_beside_one_that_stays() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (sink, other) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let one = Wanted::from(&receiver.keeping(&diary)).pipeline("logs", vec![], &[("out", &sink)]);
    let two = one.clone().pipeline("logs/other", vec![], &[("other", &other)]);
    let mut graph = one.clone().start(&books).await;
    receiver.send(vec![record(); 3]);
    graph.apply(two.clone().0, deadline()).await.unwrap();
    receiver.send(vec![record(); 4]);
    until(|| other.items() >= 4).await;
    graph.apply(one.0, deadline()).await.unwrap();
    assert_eq!(diary.read(), ["started", "shut down"], "only the other exporter");
    receiver.send(vec![record(); 5]);
    until(|| sink.items() == 12).await;
    let went_to_other = other.items();
    assert!((4..=7).contains(&went_to_other), "{went_to_other}: the records that came while it ran");

    // Its ledger is used again, so that there is no second series and no number falls.
    graph.apply(two.0, deadline()).await.unwrap();
    receiver.send(vec![record(); 2]);
    graph.stop(deadline()).await;
    assert_eq!(counts(&books, "logs/other", Some("other")).delivered, went_to_other + 2);
    let ledgers = books.snapshot().ledgers;
    assert_eq!(ledgers.iter().filter(|(key, _)| key.pipeline == "logs/other").count(), 2);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_whose_processors_change_is_replaced_without_a_loss() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let source = receiver.keeping(&diary);
    let before = Wanted::from(&source).pipeline("logs", vec![batch(100, s(60))], &[("out", &sink)]);
    let after = Wanted::from(&source).pipeline(
        "logs",
        vec![filter("exclude: ['network.peer.port == 1']"), batch(1, s(0))],
        &[("out", &sink)],
    );
    let mut graph = before.start(&books).await;
    receiver.send(vec![to_port(1); 3]);
    until(|| counts(&books, "logs", None).accepted == 3).await;
    graph.apply(after.0, deadline()).await.unwrap();
    assert_eq!(sink.items(), 3, "the records that the old pipeline held are delivered");
    receiver.send([to_port(1), to_port(2)]);
    until(|| sink.items() == 4).await;
    assert_eq!(diary.read(), ["started"], "neither the receiver nor the exporter was stopped");
    graph.stop(deadline()).await;
    let counts = counts(&books, "logs", None);
    assert_eq!((counts.accepted, counts.passed, counts.filtered), (5, 4, 1));
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_go_on_in_the_pipeline_that_replaces_the_old_one() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan = |processors| Wanted::from(&receiver).pipeline("metrics", processors, &[("out", &sink)]);
    let sums = || aggregate(AggregateConfig::default());
    let mut graph = plan(vec![sums()]).start(&books).await;
    receiver.send(vec![record(); 3]);
    until(|| counts(&books, "metrics", None).aggregated == 3).await;
    graph.apply(plan(vec![sums(), batch(10, s(1))]).0, deadline()).await.unwrap();
    receiver.send(vec![record(); 2]);
    graph.stop(deadline()).await;
    let segments = segments(&sink);
    let (start, last) = *segments.last().unwrap();
    assert_eq!(last, 10, "{segments:?}");
    assert!(segments.iter().all(|(of, _)| *of == start), "they keep their start: {segments:?}");
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn sums_begin_anew_if_the_configuration_of_aggregate_changes() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan = |interval| {
        let processors = vec![aggregate_every(interval)];
        Wanted::from(&receiver).pipeline("metrics", processors, &[("out", &sink)])
    };
    let mut graph = plan(10).start(&books).await;
    receiver.send(vec![record(); 3]);
    until(|| counts(&books, "metrics", None).aggregated == 3).await;
    graph.apply(plan(20).0, deadline()).await.unwrap();
    receiver.send(vec![record(); 2]);
    graph.stop(deadline()).await;
    assert_eq!(segments(&sink).last().unwrap().1, 4);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_changes_is_replaced_under_its_pipeline() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let (old, new) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let plan = |sink| Wanted::from(&receiver).pipeline("logs", vec![], &[("out", sink)]);
    let mut graph = plan(&old).start(&books).await;
    receiver.send(vec![record(); 3]);
    until(|| old.items() == 3).await;
    graph.apply(plan(&new).0, deadline()).await.unwrap();
    assert_eq!(diary.read(), ["shut down"]);
    receiver.send(vec![record(); 4]);
    graph.stop(deadline()).await;
    assert_eq!((old.items(), new.items()), (3, 4));
    assert_eq!(counts(&books, "logs", Some("out")).delivered, 7);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_changes_is_stopped_before_its_successor_starts() {
    let (books, diary) = (Books::default(), Diary::default());
    let (old, new) = (FakeReceiver::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan = |source: &FakeReceiver| {
        Wanted::from(&source.keeping(&diary)).pipeline("logs", vec![], &[("out", &sink)])
    };
    let mut graph = plan(&old).start(&books).await;
    old.send(vec![record(); 3]);
    graph.apply(plan(&new).0, deadline()).await.unwrap();
    assert_eq!(diary.read(), ["started", "stopped", "started"]);
    new.send(vec![record(); 4]);
    until(|| sink.items() == 7).await;
    let receivers = books.snapshot().receivers;
    assert_eq!(receivers.len(), 1, "one series");
    let counts = &receivers[0].1;
    assert_eq!((counts.received, counts.seen, counts.unobserved[0].events), (7, 2 * 77, 2 * 5), "of both");
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_start_leaves_everything_as_it_was() {
    let (books, diary) = (Books::default(), Diary::default());
    let source = FakeReceiver::default();
    let (sink, other) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let before = Wanted::from(&source.keeping(&diary)).pipeline("logs", vec![], &[("out", &sink)]);
    let mut graph = before.clone().start(&books).await;

    // A new receiver fails. The one that runs goes on unchanged.
    let bad = FakeReceiver::broken("no BTF", false);
    let more = before.clone().receiver("bad", &bad);
    let more = more.pipeline_of(&["source", "bad"], "logs/other", vec![], &[("other", &other)]);
    assert!(graph.apply(more.0, deadline()).await.is_err());
    assert_eq!(diary.read(), ["started", "shut down"], "only the other exporter");

    // The successor of a receiver fails. The old one is started again.
    let successor = Wanted::from(&bad).pipeline("logs", vec![], &[("out", &sink)]);
    assert!(graph.apply(successor.0, deadline()).await.is_err());
    assert_eq!(diary.read()[2..], ["stopped", "started"]);

    source.send(vec![record(); 3]);
    until(|| sink.items() == 3).await;
    assert!(futures::poll!(Box::pin(graph.finished())).is_pending(), "nothing has failed");
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn all_receivers_that_were_stopped_for_a_failed_plan_start_again() {
    let (books, diary) = (Books::default(), Diary::default());
    let [a, b, successor] = [(); 3].map(|()| FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan = |a: &FakeReceiver, b: &FakeReceiver| {
        let receivers = Wanted::default().receiver("a", a).receiver("b", b);
        receivers.pipeline_of(&["a", "b"], "logs", vec![], &[("out", &sink)])
    };
    let mut graph = plan(&a, &b).start(&books).await;
    let broken = FakeReceiver::broken("no BTF", false);
    assert!(graph.apply(plan(&successor, &broken).0, deadline()).await.is_err());
    a.send(vec![record(); 3]);
    b.send(vec![record(); 4]);
    until(|| sink.items() == 7).await;
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_gets_another_receiver() {
    let (books, diary) = (Books::default(), Diary::default());
    let (first, second) = (FakeReceiver::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let one = Wanted::from(&first).pipeline("logs", vec![], &[("out", &sink)]);
    let both = Wanted::from(&first).receiver("second", &second);
    let both = both.pipeline_of(&["source", "second"], "logs", vec![], &[("out", &sink)]);
    let only_second = Wanted::default().receiver("second", &second);
    let only_second = only_second.pipeline_of(&["second"], "logs", vec![], &[("out", &sink)]);
    let mut graph = one.start(&books).await;
    first.send([record()]);
    graph.apply(both.0, deadline()).await.unwrap();
    first.send([record()]);
    second.send([record()]);
    graph.apply(only_second.0, deadline()).await.unwrap();
    second.send([record()]);
    graph.stop(deadline()).await;
    assert_eq!(sink.items(), 4);
    assert!(diary.read().iter().filter(|line| **line == "shut down").count() == 1);
    assert_balanced(&books);
}

/// What its successor holds already is in the same series of the books, but is not its own.
#[tokio::test(start_paused = true)]
async fn a_pipeline_that_ends_writes_off_nothing_of_its_successor() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan =
        |seconds| Wanted::from(&receiver).pipeline("logs", vec![batch(100, s(seconds))], &[("out", &sink)]);
    let mut graph = plan(60).start(&books).await;
    receiver.send([record()]);
    graph.apply(plan(30).0, deadline()).await.unwrap();
    assert_eq!(counts(&books, "logs", None).dropped_total(), 0);
    graph.stop(deadline()).await;
    assert_eq!(sink.items(), 1);
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_ends_writes_off_nothing_of_its_successor() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let old = Sink::new(Mode::AwayUntil(Instant::now() + s(5)), &diary);
    let new = Sink::new(Mode::AwayUntil(Instant::now() + s(100)), &diary);
    let plan = |sink| Wanted::from(&receiver).pipeline("logs", vec![], &[("out", sink)]);
    let mut graph = plan(&old).start(&books).await;
    receiver.send([record()]);
    until(|| counts(&books, "logs", Some("out")).accepted == 1).await;
    receiver.send(vec![record(); 2]);
    graph.apply(plan(&new).0, deadline()).await.unwrap();
    assert_eq!((counts(&books, "logs", Some("out")).accepted, old.items()), (3, 1));
    assert_eq!(counts(&books, "logs", Some("out")).dropped_total(), 0);
    until(|| new.items() == 2).await;
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_start_writes_off_nothing_of_what_runs() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::AwayUntil(Instant::now() + s(100)), &diary);
    let other = Sink::new(Mode::Deliver, &diary);
    let plan = |sink| Wanted::from(&receiver).pipeline("logs", vec![], &[("out", sink)]);
    let mut graph = plan(&sink).start(&books).await;
    receiver.send(vec![record(); 2]);
    until(|| counts(&books, "logs", Some("out")).accepted == 2).await;
    let bad = plan(&other).receiver("bad", &FakeReceiver::broken("no BTF", false));
    let bad = bad.pipeline_of(&["source", "bad"], "logs", vec![], &[("out", &other)]);
    assert!(graph.apply(bad.0, deadline()).await.is_err());
    assert_eq!(counts(&books, "logs", Some("out")).dropped_total(), 0);
    until(|| sink.items() == 2).await;
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

/// A backend would read a point of the old sums behind one of the new sums as a reset, and count all of it again.
#[tokio::test(start_paused = true)]
async fn sums_that_begin_anew_come_after_the_last_of_the_old_ones() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let plan = |interval| {
        let processors = vec![aggregate_every(interval)];
        Wanted::from(&receiver).pipeline("metrics", processors, &[("out", &sink)])
    };
    let mut graph = plan(10).start(&books).await;
    receiver.send(vec![record(); 3]);
    until(|| counts(&books, "metrics", None).aggregated == 3).await;
    graph.apply(plan(20).0, deadline()).await.unwrap();
    until(|| sink.batches().len() == 3).await;
    let starts: Vec<_> = sink.points().iter().map(|point| point.total.start_unix_nano).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

/// An exporter that stays may take the batches of a stopped pipeline long after that pipeline is gone.
#[tokio::test(start_paused = true)]
async fn batches_of_a_stopped_pipeline_to_an_exporter_that_stays_are_delivered() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let back = Instant::now() + s(100);
    let slow = Sink::new(Mode::AwayUntil(back), &diary);
    let kept = Wanted::from(&receiver).pipeline("logs", vec![], &[("out", &slow)]);
    let both = kept.clone().pipeline("logs/other", vec![], &[("out", &slow)]);
    let mut graph = both.start(&books).await;
    receiver.send(vec![record(); 3]);
    until(|| counts(&books, "logs/other", Some("out")).accepted == 3).await;
    graph.apply(kept.0, deadline()).await.unwrap();
    assert_eq!(counts(&books, "logs/other", Some("out")).delivered, 0);
    tokio::time::sleep_until(back + s(1)).await;
    assert_eq!(counts(&books, "logs/other", Some("out")).delivered, 3);
    graph.stop(deadline()).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_nothing_stops_everything_and_another_may_follow() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let wanted = |sink| Wanted::from(&receiver.keeping(&diary)).pipeline("logs", vec![], &[("out", sink)]);
    let (first, second) = (Sink::new(Mode::Deliver, &diary), Sink::new(Mode::Deliver, &diary));
    let mut graph = graph(&books);
    for sink in [&first, &second] {
        graph.apply(wanted(sink).0, deadline()).await.unwrap();
        receiver.send([record()]);
        graph.stop(deadline()).await;
        assert_eq!(sink.items(), 1);
    }
    assert_eq!(diary.read(), ["started", "stopped", "shut down"].repeat(2));
    assert_balanced(&books);
}
