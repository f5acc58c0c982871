//! Each exporter gets metric points in its own temporality, or in the pipeline's.

use std::sync::Arc;

use tokio::time::Instant;

use super::fake::{Diary, FakeReceiver, Mode, Sink};
use super::{Wanted, ZEROS, aggregate, assert_balanced, counts, s, until};
use crate::books::Books;
use crate::fixtures::record;
use crate::metric::Temporality::{self, Cumulative, Delta};
use crate::processors::{AggregateConfig, EVENTS};

/// The values of the sink's points of events, except those that are 0. Checks that all have this temporality.
fn events(sink: &Arc<Sink>, temporality: Temporality) -> Vec<u64> {
    let points = sink.points();
    assert!(points.iter().all(|point| point.temporality == temporality));
    let of_events = points.iter().filter(|point| point.descriptor == &EVENTS);
    of_events.map(|point| point.reading().value).filter(|value| *value > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn exporters_get_their_own_temporality_or_the_pipelines() {
    for temporality in [Cumulative, Delta] {
        let (books, diary, receiver) = (Books::default(), Diary::default(), FakeReceiver::default());
        let (silent, cumulative, delta) =
            (Sink::new(Mode::Deliver, &diary), Sink::taking(Cumulative, &diary), Sink::taking(Delta, &diary));
        let config = AggregateConfig { interval: s(5).into(), temporality, ..AggregateConfig::default() };
        let exporters = [("silent", &silent), ("cumulative", &cumulative), ("delta", &delta)];
        let wanted = Wanted::from(&receiver).pipeline("metrics", vec![aggregate(config)], &exporters);
        let mut graph = wanted.start(&books).await;
        for report in 1..=3 {
            until(|| cumulative.items() == report * ZEROS as u64).await;
            receiver.send(vec![record(); 2]);
        }
        graph.stop(Instant::now() + s(10)).await;

        assert_eq!(events(&cumulative, Cumulative), [2, 4, 6]);
        assert_eq!(events(&delta, Delta), [2, 2, 2]);
        let expected = if temporality == Cumulative { [2, 4, 6] } else { [2, 2, 2] };
        assert_eq!(events(&silent, temporality), expected);
        assert_eq!(delta.sizes(), [3, 3, 3], "only sums that have changed, and no batch if none has");
        assert_eq!(cumulative.sizes(), [ZEROS; 4]);
        // What an exporter does not take is not in its books.
        assert_eq!(counts(&books, "metrics", Some("delta")).accepted, 9);
        assert_eq!(counts(&books, "metrics", Some("cumulative")).accepted, 4 * ZEROS as u64);
        assert_balanced(&books);
    }
}
