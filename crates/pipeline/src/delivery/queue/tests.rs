//! Bounds, order and accounts of the queue under each `on_full`, and its leases.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use futures::FutureExt;
use tokio::time::timeout;

use super::Queue;
use crate::books::{Counts, DropReason, Ledger, Signal};
use crate::config::Size;
use crate::delivery::fake::request;
use crate::delivery::log::DeliveryLog;
use crate::delivery::logged::logged;
use crate::delivery::{OnFull, QueueConfig};
use crate::fixtures::ledger;

/// A queue of ten bytes.
fn queue(on_full: OnFull) -> Queue {
    let config = QueueConfig {
        queue_size: Some(Size(ByteSize::b(10))),
        on_full: Some(on_full),
        ..QueueConfig::default()
    };
    Queue::new(&config, Arc::new(DeliveryLog::new("sink".to_owned(), Signal::Logs)))
}

/// Pushes a request of `items` items, one byte each.
async fn push(queue: &Queue, ledger: &Ledger, items: u64) {
    ledger.accept(items);
    queue.push(request(items, 1), ledger.clone()).await;
}

/// Leases the oldest request and acknowledges it at once. Returns its number of items.
async fn take(queue: &Queue) -> Option<u64> {
    let lease = queue.lease().await?;
    let items = lease.request.items;
    lease.ack();
    Some(items)
}

fn dropped(ledger: &Ledger, reason: DropReason) -> u64 {
    ledger.counts().dropped.get(&reason).copied().unwrap_or(0)
}

#[tokio::test]
async fn first_in_first_out_and_counted() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    for items in [1, 2, 3] {
        push(&queue, &ledger, items).await;
    }
    assert_eq!((queue.counts().size, queue.counts().capacity), (6, 10));
    assert_eq!((ledger.counts().queued, ledger.counts().in_flight()), (6, 0));
    assert_eq!((take(&queue).await, take(&queue).await), (Some(1), Some(2)));
    assert_eq!((ledger.counts().queued, ledger.counts().in_flight()), (3, 3));
    assert_eq!(queue.counts().size, 3);
}

#[tokio::test]
async fn a_leased_request_counts_until_it_is_acknowledged() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    push(&queue, &ledger, 6).await;
    let lease = queue.lease().await.unwrap();
    assert_eq!((ledger.counts().queued, ledger.counts().in_flight(), queue.counts().size), (0, 6, 6));
    push(&queue, &ledger, 5).await;
    assert_eq!(dropped(&ledger, DropReason::QueueFull), 5, "the request in flight still has its room");
    ledger.deliver(lease.request.items, 0);
    lease.ack();
    assert_eq!((ledger.counts().in_flight(), queue.counts().size), (0, 0));
    push(&queue, &ledger, 10).await;
    assert_eq!((take(&queue).await, dropped(&ledger, DropReason::QueueFull)), (Some(10), 5));
}

#[tokio::test]
async fn leases_that_are_not_acknowledged_wait_again_at_their_old_place() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    for items in [1, 2, 3] {
        push(&queue, &ledger, items).await;
    }
    let (first, second) = (queue.lease().await.unwrap(), queue.lease().await.unwrap());
    assert_eq!((first.request.items, second.request.items), (1, 2));
    drop(first);
    drop(second);
    assert_eq!((ledger.counts().queued, ledger.counts().in_flight(), queue.counts().size), (6, 0, 6));
    queue.close();
    let order = [take(&queue).await, take(&queue).await, take(&queue).await, take(&queue).await];
    assert_eq!(order, [Some(1), Some(2), Some(3), None]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_given_back_wakes_another_worker() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    push(&queue, &ledger, 4).await;
    let lease = queue.lease().await.unwrap();
    let mut other = Box::pin(take(&queue));
    assert!(futures::poll!(&mut other).is_pending());
    drop(lease);
    assert_eq!(timeout(Duration::from_secs(1), other).await.unwrap(), Some(4));
}

#[tokio::test]
async fn drop_newest_keeps_the_waiting_requests() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    for items in [6, 5, 4] {
        push(&queue, &ledger, items).await;
    }
    assert_eq!(dropped(&ledger, DropReason::QueueFull), 5, "the second does not fit, the third does");
    queue.close();
    assert_eq!([take(&queue).await, take(&queue).await, take(&queue).await], [Some(6), Some(4), None]);
}

#[tokio::test]
async fn drop_oldest_makes_room_and_counts_drops_in_the_ledger_of_the_evicted() {
    let queue = queue(OnFull::DropOldest);
    let (old, new) = (ledger(), ledger());
    for items in [3, 4, 3] {
        push(&queue, &old, items).await;
    }
    push(&queue, &new, 5).await;
    assert_eq!(dropped(&old, DropReason::QueueFull), 7, "no more than needed");
    assert_eq!((old.counts().queued, old.counts().in_flight()), (3, 0));
    assert_eq!((new.counts().queued, new.counts().dropped_total()), (5, 0));
    assert_eq!((take(&queue).await, take(&queue).await), (Some(3), Some(5)));
}

#[tokio::test]
async fn drop_oldest_evicts_only_waiting_requests_and_only_if_that_helps() {
    let (queue, ledger) = (queue(OnFull::DropOldest), ledger());
    push(&queue, &ledger, 4).await;
    let lease = queue.lease().await.unwrap();
    push(&queue, &ledger, 3).await;
    push(&queue, &ledger, 7).await;
    let evicted_nothing = (dropped(&ledger, DropReason::QueueFull), queue.counts().size);
    assert_eq!(
        evicted_nothing,
        (7, 4 + 3),
        "4 in flight leave no room for 7, even if all others are evicted"
    );
    push(&queue, &ledger, 6).await;
    assert_eq!((dropped(&ledger, DropReason::QueueFull), queue.counts().size), (7 + 3, 4 + 6));
    lease.ack();
}

/// Each request is as large as the queue, so it evicts the request before.
#[test]
fn a_queue_that_still_drops_its_oldest_has_not_drained() {
    let (queue, ledger) = (queue(OnFull::DropOldest), ledger());
    let lines = logged(|| {
        for _ in 0..5 {
            push(&queue, &ledger, 10).now_or_never().unwrap();
        }
    });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("the sending queue is full and drops"), "{lines:?}");
}

#[test]
fn a_queue_has_drained_when_nothing_is_in_flight_any_more() {
    let (queue, ledger) = (queue(OnFull::DropNewest), ledger());
    let lines = logged(|| {
        push(&queue, &ledger, 10).now_or_never().unwrap();
        push(&queue, &ledger, 1).now_or_never().unwrap();
        let lease = queue.lease().now_or_never().unwrap().unwrap();
        push(&queue, &ledger, 1).now_or_never().unwrap();
        lease.ack();
    });
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("is full") && lines[1].contains("has drained"), "{lines:#?}");
}

#[tokio::test]
async fn block_waits_for_room_in_order() {
    let (queue, ledger) = (queue(OnFull::Block), ledger());
    push(&queue, &ledger, 8).await;
    let (mut large, mut small) = (Box::pin(push(&queue, &ledger, 4)), Box::pin(push(&queue, &ledger, 1)));
    assert!(futures::poll!(&mut large).is_pending());
    assert!(futures::poll!(&mut small).is_pending(), "it would fit, but must not overtake the first");
    assert_eq!((queue.counts().size, take(&queue).await), (8, Some(8)));
    futures::join!(large, small);
    assert_eq!((take(&queue).await, take(&queue).await), (Some(4), Some(1)));
    assert_eq!(ledger.counts().dropped_total(), 0);
}

#[tokio::test]
async fn a_request_larger_than_the_queue_is_dropped_and_affects_no_other() {
    for on_full in [OnFull::DropNewest, OnFull::DropOldest, OnFull::Block] {
        let (queue, ledger) = (queue(on_full), ledger());
        push(&queue, &ledger, 2).await;
        push(&queue, &ledger, 11).await;
        assert_eq!(dropped(&ledger, DropReason::QueueFull), 11, "{on_full:?}");
        assert_eq!(take(&queue).await, Some(2), "{on_full:?}");
        push(&queue, &ledger, 10).await;
        assert_eq!(take(&queue).await, Some(10), "{on_full:?}: a request of exactly its size fits");
    }
}

#[tokio::test]
async fn closing_ends_every_wait_for_room() {
    let (queue, ledger) = (queue(OnFull::Block), ledger());
    push(&queue, &ledger, 10).await;
    let mut blocked = Box::pin(push(&queue, &ledger, 3));
    assert!(futures::poll!(&mut blocked).is_pending());
    queue.close();
    blocked.await;
    push(&queue, &ledger, 1).await;
    assert_eq!(dropped(&ledger, DropReason::Shutdown), 4);
    assert_eq!(
        (take(&queue).await, take(&queue).await),
        (Some(10), None),
        "requests in the queue can still be leased"
    );
    assert_eq!(ledger.counts().in_flight(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_worker_wakes_for_a_request_and_for_the_end() {
    let (queue, ledger) = (Arc::new(queue(OnFull::DropNewest)), ledger());
    let worker = |queue: &Arc<Queue>| {
        let queue = Arc::clone(queue);
        tokio::spawn(async move { take(&queue).await })
    };
    let (first, second) = (worker(&queue), worker(&queue));
    assert!(timeout(Duration::from_secs(1), queue.lease()).await.is_err(), "empty, and not closed");
    push(&queue, &ledger, 1).await;
    tokio::task::yield_now().await;
    queue.close();
    let mut both = [first.await.unwrap(), second.await.unwrap()];
    both.sort();
    assert_eq!(both, [None, Some(1)]);
}

/// Many producers and workers at once: nothing is lost, and nothing is counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_ledger_balances_under_concurrency() {
    for on_full in [OnFull::DropNewest, OnFull::DropOldest, OnFull::Block] {
        let (queue, ledger) = (Arc::new(queue(on_full)), ledger());
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move {
                    let mut turn = 0;
                    while let Some(lease) = queue.lease().await {
                        tokio::task::yield_now().await;
                        turn += 1;
                        // Every third lease is given back.
                        if turn % 3 > 0 {
                            lease.ledger.deliver(lease.request.items, 0);
                            lease.ack();
                        }
                    }
                })
            })
            .collect();
        let producers: Vec<_> = (0..4)
            .map(|seed| {
                let (queue, ledger) = (Arc::clone(&queue), ledger.clone());
                tokio::spawn(async move {
                    for step in 0..500 {
                        push(&queue, &ledger, 1 + (seed * 7 + step) % 12).await;
                    }
                })
            })
            .collect();
        futures::future::try_join_all(producers).await.unwrap();
        queue.close();
        futures::future::try_join_all(workers).await.unwrap();
        let counts: Counts = ledger.counts();
        assert_eq!((counts.in_flight(), counts.queued), (0, 0), "{on_full:?}: {counts:?}");
        assert_eq!(counts.accepted, counts.delivered + counts.dropped_total(), "{on_full:?}");
        assert!(counts.delivered > 0);
        let too_large: u64 = (0..4)
            .flat_map(|seed| (0..500).map(move |step| 1 + (seed * 7 + step) % 12))
            .filter(|n| *n > 10)
            .sum();
        let lost = dropped(&ledger, DropReason::QueueFull);
        assert!(lost >= too_large && (on_full != OnFull::Block || lost == too_large), "{on_full:?}: {lost}");
        assert_eq!(queue.counts().size, 0);
    }
}
