//! At a full entrance: when the stage waits, when it drops, and what is counted.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::books::{DropReason, Ledger, LedgerKey, Signal};
use crate::chunk::{self, CHUNK};
use crate::fixtures::{gap, record, send};
use crate::record::Record;

/// A branch whose entrance holds one chunk, its ledger, and the other end of the entrance.
fn branch(signal: Signal) -> (Arc<Branch<Record>>, Ledger, Receiver<Record>) {
    let ledger = Ledger::detached(LedgerKey { pipeline: signal.to_string(), signal, exporter: None });
    let (entrance, records) = chunk::channel(CHUNK);
    (Arc::new(Branch::of_records(ledger.clone(), entrance)), ledger, records)
}

/// The closed channel of a receiver, with these records in it, in full chunks and then the rest.
fn closed(records: impl IntoIterator<Item = Record>) -> Receiver<Record> {
    let (out, channel) = chunk::channel(8 * CHUNK);
    send(&out, records);
    channel
}

fn wired(branches: Vec<Arc<Branch<Record>>>) -> watch::Receiver<Branches<Record>> {
    watch::channel(branches.into()).1
}

#[tokio::test(start_paused = true)]
async fn in_a_burst_sums_miss_nothing_and_logs_drop_what_does_not_fit() {
    let (logs, log_ledger, mut log_records) = branch(Signal::Logs);
    let (metrics, metric_ledger, mut metric_records) = branch(Signal::Metrics);
    let all = 4 * CHUNK + 1;
    let burst = (1..all).map(|_| record()).chain([gap()]);
    let counts = StageCounts::default();
    let stage = run(closed(burst), wired(vec![logs, metrics]), &counts, false);
    let summing = async {
        let mut records = Vec::new();
        while records.len() < all {
            records.extend_from_slice(&metric_records.recv().await.unwrap());
        }
        records
    };
    // The logs pipeline takes no records meanwhile.
    let both = timeout(Duration::from_secs(10), async { tokio::join!(stage, summing) }).await;
    let ((), records) = both.expect("the sums get everything");
    assert_eq!(records.iter().filter(|record| record.is_gap()).count(), 1);
    assert_eq!(log_records.try_recv().unwrap().len(), CHUNK);
    assert!(log_records.try_recv().is_none());
    let (logs, metrics) = (log_ledger.counts(), metric_ledger.counts());
    assert_eq!((logs.accepted, metrics.accepted), (all as u64, all as u64));
    assert_eq!(logs.dropped, [(DropReason::PipelineFull, (all - CHUNK) as u64)].into());
    assert_eq!(metrics.dropped_total(), 0);
    assert_eq!(counts.complete(ReceiverCounts::default).received, all as u64 - 1, "a gap is not an event");
}

#[tokio::test]
async fn records_for_a_pipeline_that_has_ended_are_counted_as_dropped() {
    for can_wait in [false, true] {
        for signal in [Signal::Logs, Signal::Metrics] {
            let (branch, ledger, records) = branch(signal);
            drop(records);
            let both = closed([record(), gap()]);
            run(both, wired(vec![branch]), &StageCounts::default(), can_wait).await;
            assert_eq!(ledger.counts().dropped, [(DropReason::Internal, 2)].into());
        }
    }
}

#[tokio::test]
async fn branches_are_replaced_between_two_chunks() {
    let ((first, _, mut to_first), (second, _, mut to_second)) = (branch(Signal::Logs), branch(Signal::Logs));
    let (out, records) = chunk::channel(CHUNK);
    let (wires, wired) = watch::channel(Branches::from([first]));
    let counts = StageCounts::default();
    let mut stage = Box::pin(run(records, wired, &counts, false));
    send(&out, [record()]);
    assert!(futures::poll!(&mut stage).is_pending());
    wires.send_replace(Branches::from([second]));
    send(&out, [gap()]);
    assert!(futures::poll!(&mut stage).is_pending());
    assert!(!to_first.recv().await.unwrap()[0].is_gap());
    assert!(to_first.recv().await.is_none(), "the branch to the first is closed");
    assert!(to_second.recv().await.unwrap()[0].is_gap());
}

#[tokio::test]
async fn records_in_the_channel_when_the_stage_is_aborted_are_counted() {
    let (branch, _, _records) = branch(Signal::Logs);
    let counts = StageCounts::default();
    let events = (0..3 * CHUNK).map(|_| record()).chain([gap()]);
    let mut stage = Box::pin(run(closed(events), wired(vec![branch]), &counts, true));
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
    let counts = StageCounts::default();
    // An event comes while the receiver's numbers are read.
    let probe = || {
        let seen = 1;
        counts.received.fetch_add(2, Ordering::Release);
        ReceiverCounts { seen, ..ReceiverCounts::default() }
    };
    let counts = counts.complete(probe);
    assert!(counts.received <= counts.seen, "{counts:?}");
}
