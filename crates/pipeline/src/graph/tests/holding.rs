//! A processor that holds records for a while, and one that does not start.

use std::sync::Arc;

use tokio::time::Instant;

use super::fake::{Diary, FakeReceiver, Mode, Sink};
use super::{Wanted, assert_balanced, batch, counts, graph, s, until};
use crate::books::Books;
use crate::clock::unix_nano;
use crate::component::Host;
use crate::fixtures::record;
use crate::graph::StartError;
use crate::processors::k8s_attributes::{Cluster, Clusters, Watches};
use crate::processors::{K8sAttributesConfig, ProcessorConfig};
use crate::record::Record;

fn k8s_attributes(yaml: &str) -> (&'static str, ProcessorConfig) {
    ("k8s_attributes", ProcessorConfig::K8sAttributes(Box::new(serde_yaml::from_str(yaml).unwrap())))
}

/// Records of this moment, as many as an outlet has room for.
fn new_records(count: usize) -> Vec<Record> {
    vec![Record { time_unix_nano: unix_nano(), ..record() }; count]
}

#[tokio::test(start_paused = true)]
async fn held_records_go_on_when_their_time_has_come() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let processors = vec![k8s_attributes("delay: 10s")];
    let mut graph =
        Wanted::from(&receiver).pipeline("logs", processors, &[("out", &sink)]).start(&books).await;
    let start = Instant::now();
    receiver.send(new_records(5));
    until(|| sink.items() == 5).await;
    assert!((s(9)..=s(11)).contains(&start.elapsed()), "{:?}", start.elapsed());
    graph.stop(Instant::now() + s(10)).await;
    assert_balanced(&books);
}

#[tokio::test(start_paused = true)]
async fn all_held_records_are_delivered_at_the_end() {
    const HELD: usize = 8000;
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    // The batches that are made at once have room in the outlet only one after the other.
    let processors = vec![k8s_attributes("delay: 60s"), batch(8192, s(60))];
    let mut graph =
        Wanted::from(&receiver).pipeline("logs", processors, &[("out", &sink)]).start(&books).await;
    // Older ones are in `batch` already.
    receiver.send(vec![record(); 6000]);
    until(|| counts(&books, "logs", None).accepted == 6000).await;
    receiver.send(new_records(HELD));
    until(|| counts(&books, "logs", None).accepted == 6000 + HELD as u64).await;
    assert_eq!(sink.items(), 0);
    graph.stop(Instant::now() + s(10)).await;
    assert_eq!(sink.items(), 6000 + HELD as u64, "{:?}", counts(&books, "logs", Some("out")));
    assert_balanced(&books);
}

/// Has no place to watch.
struct Nowhere;

impl Watches for Nowhere {
    fn start(&self, _config: &K8sAttributesConfig, _cluster: &Arc<Cluster>) -> Result<(), String> {
        Err("no place".to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn a_processor_that_does_not_start_stops_everything() {
    let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
    let sink = Sink::new(Mode::Deliver, &diary);
    let mut graph = graph(&books);
    graph.host = Host { clusters: Clusters::watched_by(Arc::new(Nowhere)), ..graph.host };
    let wanted = Wanted::from(&receiver).pipeline("logs", vec![k8s_attributes("{}")], &[("out", &sink)]);
    let result = graph.apply(wanted.0, Instant::now() + s(10)).await;
    let Err(StartError::Processor { id, reason }) = result else { panic!("{result:?}") };
    assert_eq!((id.as_str(), reason.as_str()), ("k8s_attributes", "no place"));
    graph.stop(Instant::now() + s(10)).await;
}
