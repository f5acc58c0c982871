//! An exporter whose queue is on disk: what a shutdown leaves there, and what the next one sends.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Sink, counts, export, s};
use crate::books::{Books, Counts, Ledger, Signal};
use crate::component::Exporter;
use crate::delivery::exporter::{QueuedExporter, Sending};
use crate::delivery::fake::{Backend, Encoder};
use crate::delivery::{QueueConfig, RetryConfig};
use crate::fixtures::ledger;
use crate::storage::{self, Storages};

/// An exporter whose queue is in `directory`.
fn start_stored(backend: &Backend, signal: Signal, directory: &std::path::Path) -> (Sink, Books) {
    let books = Books::default();
    let config = storage::Config { directory: directory.to_owned(), ..storage::Config::default() };
    let sending = Sending {
        queue: QueueConfig { storage: Some("x".to_owned()), ..QueueConfig::default() },
        retry: RetryConfig::default(),
        storage: Some(Storages::default().open(&config).unwrap()),
    };
    let encoder = Encoder { bytes_per_item: 1, too_large: 0 };
    let sink = QueuedExporter::start("sink".to_owned(), signal, encoder, backend.clone(), sending, &books);
    (sink.unwrap(), books)
}

/// The numbers of all ledgers together.
fn sum(books: &Books, own: &Ledger) -> Counts {
    let mut sum = own.counts();
    books.snapshot().ledgers.iter().for_each(|(_, counts)| sum += counts);
    sum
}

/// Waits for a condition, with a deadline.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < s(60), "{what}");
        sleep(Duration::from_millis(1)).await;
    }
}

/// The clock is the real one, since a thread of the queue works with the disk.
#[tokio::test]
async fn with_storage_a_shutdown_with_a_dead_backend_loses_nothing_and_is_short() {
    for signal in Signal::ALL {
        let directory = tempfile::tempdir().unwrap();
        let backend = Backend::down();
        let (sink, _) = start_stored(&backend, signal, directory.path());
        let ledger = ledger();
        for items in 1..=9 {
            export(&sink, &ledger, items).await;
        }
        let in_flight = if signal == Signal::Metrics { 1 } else { 4 };
        until("the first requests", || backend.times().len() >= in_flight).await;
        let start = Instant::now();
        sink.shutdown(start + s(30)).await;
        assert!(start.elapsed() < s(4), "the next attempt would be after 2.5 s or more");
        assert_eq!(backend.times().len(), 2 * in_flight, "one more attempt of each request in flight");
        assert_eq!(ledger.counts(), Counts { stored: 45, ..counts(45, 0, 0, &[]) });

        let backend = Backend::new([]);
        let (sink, books) = start_stored(&backend, signal, directory.path());
        until("all of it", || sum(&books, &ledger).delivered >= 45).await;
        sink.shutdown(Instant::now() + s(30)).await;
        let order: Vec<_> = backend.bodies().iter().map(|body| body.len()).collect();
        if signal == Signal::Metrics {
            assert_eq!(order, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        let restored = books.snapshot().ledgers.remove(0).1;
        assert_eq!(restored, Counts { restored: 45, ..counts(0, 45, 0, &[]) });
    }
}

#[tokio::test]
async fn with_storage_the_deadline_keeps_hanging_and_late_requests() {
    let directory = tempfile::tempdir().unwrap();
    let backend = Backend::gated([]);
    let (sink, _) = start_stored(&backend, Signal::Metrics, directory.path());
    let ledger = ledger();
    export(&sink, &ledger, 1).await;
    until("the first request", || !backend.times().is_empty()).await;
    sink.begin_shutdown(Instant::now());
    export(&sink, &ledger, 2).await;
    sink.shutdown(Instant::now()).await;
    assert_eq!(ledger.counts(), Counts { stored: 3, ..counts(3, 0, 0, &[]) });
}

/// A backend that is there gets everything, as without storage.
#[tokio::test]
async fn with_storage_a_shutdown_delivers_what_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let backend = Backend::new([]);
    let (sink, _) = start_stored(&backend, Signal::Logs, directory.path());
    let ledger = ledger();
    for items in 1..=9 {
        export(&sink, &ledger, items).await;
    }
    sink.shutdown(Instant::now() + s(30)).await;
    assert_eq!(ledger.counts(), counts(45, 45, 0, &[]));
}
