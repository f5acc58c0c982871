//! Who waits at a full pipeline, who drops, and what is counted.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::books::LedgerKey;
use crate::fixtures::{gap, record, unseen};

/// A pipeline's entrance, which holds one chunk, and its other end.
fn branch(signal: Signal) -> (Branch, mpsc::Receiver<Record>) {
    let key = LedgerKey { pipeline: signal.to_string(), signal, exporter: None };
    let (entrance, records) = mpsc::channel(CHUNK);
    (Branch::new(Ledger::detached(key), entrance), records)
}

/// A receiver's channel that holds all of this and is closed.
fn closed(records: impl IntoIterator<Item = Record>) -> mpsc::Receiver<Record> {
    let (out, channel) = mpsc::channel(8 * CHUNK);
    records.into_iter().for_each(|record| out.try_send(record).unwrap());
    channel
}

#[tokio::test(start_paused = true)]
async fn sums_miss_nothing_of_a_burst_and_logs_drop_what_they_have_no_room_for() {
    let (logs, log_records) = branch(Signal::Logs);
    let (metrics, mut metric_records) = branch(Signal::Metrics);
    let ledgers = [logs.ledger.clone(), metrics.ledger.clone()];
    let all = 4 * CHUNK + 1;
    let burst = (1..all).map(|_| record()).chain([gap()]);
    let (counts, branches) = (FlowCounts::new(), [logs, metrics]);
    let stage = run(closed(burst), &counts, &branches, false);
    let summing = async {
        let mut records = Vec::new();
        while records.len() < all {
            records.push(metric_records.recv().await.unwrap());
        }
        records
    };
    // Nobody takes log records meanwhile.
    let both = timeout(Duration::from_secs(10), async { tokio::join!(stage, summing) }).await;
    let ((), records) = both.expect("the sums get everything");
    assert_eq!(records.iter().filter(|record| **record == gap()).count(), 1);
    assert_eq!(log_records.len(), CHUNK);
    let [logs, metrics] = ledgers.map(|ledger| ledger.counts());
    assert_eq!((logs.accepted, metrics.accepted), (all as u64, all as u64));
    assert_eq!(logs.dropped, [(DropReason::PipelineFull, (all - CHUNK) as u64)].into());
    assert_eq!(metrics.dropped_total(), 0);
    assert_eq!(counts.complete(ReceiverCounts::default).received, all as u64 - 1, "a gap is no event");
}

#[tokio::test]
async fn what_a_pipeline_that_has_ended_does_not_get_is_counted() {
    for can_wait in [false, true] {
        for signal in [Signal::Logs, Signal::Metrics] {
            let (branch, records) = branch(signal);
            let ledger = branch.ledger.clone();
            drop(records);
            run(closed([record(), gap()]), &FlowCounts::new(), &[branch], can_wait).await;
            assert_eq!(ledger.counts().dropped, [(DropReason::Internal, 2)].into());
        }
    }
}

#[tokio::test]
async fn what_was_found_when_a_socket_ended_is_an_event_that_was_received() {
    let (branch, mut records) = branch(Signal::Logs);
    let counts = FlowCounts::new();
    run(closed([record(), unseen(), gap()]), &counts, &[branch], false).await;
    assert_eq!(records.len(), 3);
    assert_eq!(records.recv().await, Some(record()));
    let counts = counts.complete(ReceiverCounts::default);
    assert_eq!((counts.received, counts.unobserved), (2, Vec::new()));
}

#[tokio::test]
async fn what_is_in_the_channel_when_the_stage_is_cut_off_is_counted() {
    let (branch, _records) = branch(Signal::Logs);
    let counts = FlowCounts::new();
    let events = (0..3 * CHUNK).map(|_| record()).chain([gap()]);
    let branches = [branch];
    let mut stage = Box::pin(run(closed(events), &counts, &branches, true));
    assert!(futures::poll!(&mut stage).is_pending(), "the entrance holds one chunk");
    drop(stage);
    let counts = counts.complete(ReceiverCounts::default);
    assert_eq!(counts.received, 2 * CHUNK as u64, "one in the entrance, one on its way there");
    let (events, segments) = (CHUNK as u64, Some(2 * CHUNK as u64));
    let unread = Unobserved { place: "flow", reason: "unread", cpu: None, events, segments };
    assert!(counts.unobserved.contains(&unread), "{counts:?}");
}

#[test]
fn nothing_is_received_before_it_is_seen() {
    let counts = FlowCounts::new();
    // An event that comes while the receiver is asked.
    let probe = || {
        let seen = 1;
        counts.add(2);
        ReceiverCounts { seen, ..ReceiverCounts::default() }
    };
    let counts = counts.complete(probe);
    assert!(counts.received <= counts.seen, "{counts:?}");
}
