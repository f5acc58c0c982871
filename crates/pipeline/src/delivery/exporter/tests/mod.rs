//! An exporter from end to end: the outcome of each item, and the status that follows from it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

mod stored;

use super::{QueuedExporter, Sending};
use crate::books::{Books, Counts, DropReason, Ledger, Signal};
use crate::component::{Batch, Exporter};
use crate::config::Size;
use crate::delivery::fake::{Answer, Backend, Encoder, accepted, partial, permanent, retryable};
use crate::delivery::{OnFull, QueueConfig, RetryConfig};
use crate::fixtures::{ledger, record};
use crate::status::Status;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

type Sink = Arc<QueuedExporter<Encoder, Backend>>;

fn start(backend: &Backend, signal: Signal, queue: QueueConfig) -> (Sink, Books) {
    let books = Books::default();
    let encoder = Encoder { bytes_per_item: 1, too_large: 0 };
    let retry = RetryConfig { randomization_factor: 0.0, ..RetryConfig::default() };
    let sending = Sending { queue, retry, storage: None };
    let sink =
        QueuedExporter::start("sink".to_owned(), signal, encoder, backend.clone(), sending, &books).unwrap();
    (sink, books)
}

/// Exports a batch of `items` records.
async fn export(sink: &Sink, ledger: &Ledger, items: usize) {
    ledger.accept(items as u64);
    sink.export(Batch::Logs(vec![record(); items].into()), ledger.clone()).await;
}

fn queue(on_full: OnFull, bytes: u64) -> QueueConfig {
    QueueConfig {
        queue_size: Some(Size(ByteSize::b(bytes))),
        on_full: Some(on_full),
        ..QueueConfig::default()
    }
}

fn direct() -> QueueConfig {
    QueueConfig { enabled: false, ..QueueConfig::default() }
}

fn counts(accepted: u64, delivered: u64, rejected: u64, dropped: &[(DropReason, u64)]) -> Counts {
    Counts { accepted, delivered, rejected, dropped: dropped.iter().copied().collect(), ..Counts::default() }
}

/// Lets the paused clock run until each item is delivered, rejected or dropped.
async fn settled(ledger: &Ledger) {
    while ledger.counts().queued > 0 || ledger.counts().in_flight() > 0 {
        sleep(s(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_ledger_counts_each_answer_of_the_backend() {
    let script =
        [accepted(), partial(2), partial(0), permanent(), Answer::Panic, retryable(None), accepted()];
    for config in [QueueConfig { num_consumers: 1, ..QueueConfig::default() }, direct()] {
        let backend = Backend::new(script.clone());
        let (sink, _) = start(&backend, Signal::Logs, config);
        let ledger = ledger();
        for items in [1, 10, 100, 1000, 10_000, 3] {
            export(&sink, &ledger, items).await;
        }
        settled(&ledger).await;
        let dropped = [(DropReason::PermanentError, 1000), (DropReason::Internal, 10_000)];
        assert_eq!(ledger.counts(), counts(11_114, 1 + 8 + 100 + 3, 2, &dropped));
        assert_eq!(backend.times().len(), 7, "a partial success is never sent again");
        sink.shutdown(Instant::now()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn items_that_the_encoder_leaves_out_are_dropped_as_too_large() {
    let books = Books::default();
    let backend = Backend::new([]);
    let encoder = Encoder { bytes_per_item: 1, too_large: 2 };
    let sink =
        QueuedExporter::start("sink".to_owned(), Signal::Logs, encoder, backend, Sending::default(), &books)
            .unwrap();
    let ledger = ledger();
    export(&sink, &ledger, 5).await;
    sink.shutdown(Instant::now() + s(1)).await;
    assert_eq!(ledger.counts(), counts(5, 3, 0, &[(DropReason::TooLarge, 2)]));
}

#[tokio::test(start_paused = true)]
async fn logs_use_all_consumers_and_metrics_one() {
    for (signal, expected) in [(Signal::Logs, 4), (Signal::Metrics, 1)] {
        let backend = Backend::gated([]);
        let (sink, _) = start(&backend, signal, QueueConfig::default());
        let ledger = ledger();
        for items in 1..=9 {
            export(&sink, &ledger, items).await;
        }
        while backend.times().len() < expected {
            yield_now().await;
        }
        backend.gate.add_permits(9);
        sink.shutdown(Instant::now() + s(1)).await;
        assert_eq!(backend.most_at_once(), expected);
        assert_eq!(ledger.counts(), counts(45, 45, 0, &[]));
        if signal == Signal::Metrics {
            let order: Vec<_> = backend.bodies().iter().map(|body| body.len()).collect();
            assert_eq!(order, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_keep_their_order_over_retries_even_without_a_queue() {
    for config in [QueueConfig::default(), direct()] {
        let backend = Backend::new([retryable(None), retryable(None)]);
        let (sink, _) = start(&backend, Signal::Metrics, config);
        let ledger = ledger();
        futures::join!(export(&sink, &ledger, 1), export(&sink, &ledger, 2), export(&sink, &ledger, 3));
        settled(&ledger).await;
        let order: Vec<_> = backend.bodies().iter().map(|body| body.len()).collect();
        assert_eq!(order, [1, 1, 1, 2, 3]);
        assert_eq!(backend.most_at_once(), 1);
        sink.shutdown(Instant::now()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_books_show_the_queue() {
    let backend = Backend::gated([]);
    let (sink, books) = start(&backend, Signal::Metrics, queue(OnFull::DropNewest, 100));
    let ledger = ledger();
    export(&sink, &ledger, 10).await;
    while backend.times().is_empty() {
        yield_now().await;
    }
    export(&sink, &ledger, 20).await;
    let (key, shown) = books.snapshot().queues.remove(0);
    assert_eq!(key, ("sink".to_owned(), Signal::Metrics));
    assert_eq!((shown.size, shown.capacity), (30, 100), "what waits and what is in flight");
    assert_eq!((ledger.counts().queued, ledger.counts().in_flight()), (20, 10));
    let (direct, books) = start(&backend, Signal::Logs, self::direct());
    assert!(books.snapshot().queues.is_empty());
    drop((sink, direct));
}

#[tokio::test(start_paused = true)]
async fn a_dead_backend_fills_the_queue_and_the_rest_is_dropped() {
    let backend = Backend::down();
    let config = QueueConfig { num_consumers: 1, ..queue(OnFull::DropNewest, 10) };
    let (sink, _) = start(&backend, Signal::Logs, config);
    let ledger = ledger();
    export(&sink, &ledger, 4).await;
    while backend.times().is_empty() {
        yield_now().await;
    }
    export(&sink, &ledger, 6).await;
    export(&sink, &ledger, 1).await;
    assert_eq!(ledger.counts().dropped, [(DropReason::QueueFull, 1)].into());
    sink.shutdown(Instant::now() + s(1)).await;
    assert_eq!(ledger.counts(), counts(11, 0, 0, &[(DropReason::QueueFull, 1), (DropReason::Shutdown, 10)]));
}

/// `queue_size` bounds everything that the exporter holds. Without the requests in flight it would hold 140 bytes here.
#[tokio::test(start_paused = true)]
async fn waiting_requests_and_those_in_flight_never_exceed_queue_size() {
    for on_full in [OnFull::DropNewest, OnFull::DropOldest] {
        let backend = Backend::gated([]);
        let (sink, books) = start(&backend, Signal::Logs, queue(on_full, 100));
        let ledger = ledger();
        for _ in 0..4 {
            export(&sink, &ledger, 10).await;
        }
        while backend.times().len() < 4 {
            yield_now().await;
        }
        for _ in 0..16 {
            export(&sink, &ledger, 10).await;
            // Each item has one byte, and the backend does not answer.
            let held = ledger.counts().queued + u64::try_from(ledger.counts().in_flight()).unwrap();
            assert_eq!(books.snapshot().queues[0].1.size, held);
            assert!(held <= 100, "{on_full:?}: {held} bytes are held");
        }
        assert_eq!((ledger.counts().queued, ledger.counts().in_flight()), (60, 40));
        backend.gate.add_permits(20);
        sink.shutdown(Instant::now() + s(1)).await;
        assert_eq!(ledger.counts(), counts(200, 100, 0, &[(DropReason::QueueFull, 100)]), "{on_full:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_follows_the_answers_of_the_backend() {
    let recoverable = Status::RecoverableError("unavailable".to_owned());
    let permanent_error = Status::PermanentError("unauthenticated".to_owned());
    for config in [QueueConfig::default(), direct()] {
        let backend = Backend::gated([retryable(None), accepted(), permanent(), accepted()]);
        let (sink, _) = start(&backend, Signal::Metrics, config);
        let (ledger, mut status) = (ledger(), sink.status());
        assert_eq!(status.borrow_and_update().status, Status::Ok);
        let exports = async {
            for items in 1..=3 {
                export(&sink, &ledger, items).await;
            }
        };
        let watching = async {
            for expected in [&recoverable, &Status::Ok, &permanent_error, &Status::Ok] {
                backend.gate.add_permits(1);
                status.wait_for(|reported| reported.status == *expected).await.unwrap();
            }
        };
        tokio::join!(exports, watching);
        sink.begin_shutdown(Instant::now() + s(1));
        assert_eq!(status.borrow_and_update().status, Status::Stopping);
        sink.shutdown(Instant::now() + s(1)).await;
        assert_eq!(status.borrow_and_update().status, Status::Stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_drains_in_order_and_ends_before_its_deadline() {
    for config in [QueueConfig { num_consumers: 1, ..QueueConfig::default() }, direct()] {
        // The first request waits for its retry when shutdown begins.
        let backend = Backend::new([retryable(None)]);
        let (sink, _) = start(&backend, Signal::Logs, QueueConfig { num_consumers: 1, ..config });
        let (ledger, start) = (ledger(), Instant::now());
        let exports = futures::future::join_all((1..=5).map(|items| export(&sink, &ledger, items)));
        let stopping = async {
            while backend.times().is_empty() {
                yield_now().await;
            }
            sleep(s(1)).await;
            sink.shutdown(Instant::now() + s(30)).await;
        };
        tokio::join!(exports, stopping);
        assert_eq!(ledger.counts(), counts(15, 15, 0, &[]));
        let order: Vec<_> = backend.bodies().iter().map(|body| body.len()).collect();
        assert_eq!(order, [1, 1, 2, 3, 4, 5]);
        assert_eq!((Instant::now() - start).as_secs(), 1, "there was nothing to wait for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_comes_back_during_the_drain_gets_everything() {
    for config in [QueueConfig { num_consumers: 1, ..QueueConfig::default() }, direct()] {
        let backend = Backend::new(vec![retryable(None); 10]);
        let (sink, _) = start(&backend, Signal::Logs, QueueConfig { num_consumers: 1, ..config });
        let (ledger, start) = (ledger(), Instant::now());
        let exports = futures::future::join_all((1..=5).map(|items| export(&sink, &ledger, items)));
        let stopping = async {
            while backend.times().is_empty() {
                yield_now().await;
            }
            sink.shutdown(Instant::now() + s(30)).await;
        };
        tokio::join!(exports, stopping);
        assert_eq!(ledger.counts(), counts(15, 15, 0, &[]));
        let order: Vec<_> = backend.bodies().iter().skip(10).map(|body| body.len()).collect();
        assert_eq!(order, [1, 2, 3, 4, 5]);
        assert_eq!((Instant::now() - start).as_secs(), 9, "ten attempts failed, the second of them at once");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_drops_hanging_and_waiting_requests() {
    for config in [QueueConfig::default(), direct()] {
        let backend = Backend::gated([]);
        let (sink, _) = start(&backend, Signal::Logs, QueueConfig { num_consumers: 2, ..config });
        let (ledger, start) = (ledger(), Instant::now());
        let exports = futures::future::join_all((1..=5).map(|items| export(&sink, &ledger, items)));
        let stopping = async {
            while backend.times().len() < 2 {
                yield_now().await;
            }
            sink.shutdown(start + s(3)).await;
        };
        tokio::join!(exports, stopping);
        assert_eq!(ledger.counts(), counts(15, 0, 0, &[(DropReason::Shutdown, 15)]));
        assert_eq!((Instant::now() - start).as_secs(), 3);
        assert_eq!(backend.times().len(), 2, "nothing is sent after the deadline");
    }
}

/// Items that a pipeline still hands over are dropped at once, since there is no time left to encode them.
#[tokio::test(start_paused = true)]
async fn after_the_deadline_nothing_is_encoded() {
    let encoder = Encoder { bytes_per_item: 1, too_large: 2 };
    let sink = QueuedExporter::start(
        "sink".to_owned(),
        Signal::Logs,
        encoder,
        Backend::new([]),
        Sending::default(),
        &Books::default(),
    )
    .unwrap();
    let ledger = ledger();
    sink.begin_shutdown(Instant::now());
    export(&sink, &ledger, 5).await;
    assert_eq!(ledger.counts(), counts(5, 0, 0, &[(DropReason::Shutdown, 5)]));
}

#[tokio::test(start_paused = true)]
async fn a_blocked_export_ends_with_the_shutdown() {
    let backend = Backend::gated([]);
    let (sink, _) = start(&backend, Signal::Metrics, queue(OnFull::Block, 10));
    let ledger = ledger();
    export(&sink, &ledger, 6).await;
    while backend.times().is_empty() {
        yield_now().await;
    }
    export(&sink, &ledger, 4).await;
    let mut blocked = Box::pin(export(&sink, &ledger, 5));
    assert!(futures::poll!(&mut blocked).is_pending());
    let deadline = Instant::now() + s(1);
    tokio::join!(blocked, sink.shutdown(deadline));
    assert_eq!(ledger.counts(), counts(15, 0, 0, &[(DropReason::Shutdown, 15)]));
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_is_harmless_and_nothing_comes_after_the_first() {
    for config in [QueueConfig::default(), direct()] {
        let backend = Backend::new([]);
        let (sink, _) = start(&backend, Signal::Logs, config);
        let ledger = ledger();
        let now = Instant::now();
        tokio::join!(sink.shutdown(now + s(1)), sink.shutdown(now + s(2)));
        sink.shutdown(now + s(3)).await;
        export(&sink, &ledger, 3).await;
        assert_eq!(ledger.counts(), counts(3, 0, 0, &[(DropReason::Shutdown, 3)]));
        assert!(backend.times().is_empty());
    }
}
