//! An exporter of requests: encode, queue, send, retry, account.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::error;

use super::health::Health;
use super::queue::Queue;
use super::{Accepted, Encode, QueueConfig, Request, RetryConfig, Transport, retry};
use crate::books::{Books, DropReason, Ledger, Signal};
use crate::component::{Batch, Exporter};

/// An [`Exporter`] that encodes with `E` and sends with `T`, over a sending queue where it has one.
pub struct QueuedExporter<E, T> {
    encoder: E,
    courier: Arc<Courier<T>>,
    path: Path,
}

/// How a request gets from the pipeline to the courier.
enum Path {
    /// Over a queue, to workers.
    Queue { queue: Arc<Queue>, workers: Mutex<JoinSet<()>> },
    /// The pipeline itself carries it, as soon as one of `turns` is free.
    Inline { turns: Semaphore, all: u32 },
}

/// Sends requests, each to its end in its ledger.
struct Courier<T> {
    transport: T,
    retry: RetryConfig,
    health: Arc<Health>,
    /// The deadline, once shutdown has begun.
    shutdown: watch::Sender<Option<Instant>>,
}

impl<E: Encode, T: Transport> QueuedExporter<E, T> {
    /// Starts its workers on the current tokio runtime and adds its queue to the books.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[allow(clippy::too_many_arguments)] // each of them a part of its own, told apart by its type
    pub fn start(
        id: String,
        signal: Signal,
        encoder: E,
        transport: T,
        queue: QueueConfig,
        retry: RetryConfig,
        books: &Books,
    ) -> Arc<Self> {
        // Cumulative points must not overtake each other on their way.
        let in_flight = if signal == Signal::Metrics { 1 } else { queue.num_consumers.max(1) };
        let health = Arc::new(Health::new(id.clone(), signal));
        let courier = Arc::new(Courier {
            transport,
            retry,
            health: Arc::clone(&health),
            shutdown: watch::Sender::new(None),
        });
        let path = if queue.enabled {
            let queue = Arc::new(Queue::new(&queue, health));
            let probe = Arc::clone(&queue);
            books.add_queue(id, signal, move || probe.counts());
            let mut workers = JoinSet::new();
            for _ in 0..in_flight {
                workers.spawn(work(Arc::clone(&queue), Arc::clone(&courier)));
            }
            Path::Queue { queue, workers: Mutex::new(workers) }
        } else {
            let all = u32::try_from(in_flight).unwrap_or(u32::MAX);
            Path::Inline { turns: Semaphore::new(all as usize), all }
        };
        Arc::new(QueuedExporter { encoder, courier, path })
    }
}

impl<E: Encode, T: Transport> Exporter for QueuedExporter<E, T> {
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.courier.is_too_late() {
                return ledger.drop_items(batch.len() as u64, DropReason::Shutdown);
            }
            let encoded = self.encoder.encode(&batch);
            drop(batch);
            if encoded.too_large > 0 {
                ledger.drop_items(encoded.too_large, DropReason::TooLarge);
                self.courier.health.too_large(encoded.too_large);
            }
            for request in encoded.requests {
                match &self.path {
                    Path::Queue { queue, .. } => queue.push(request, ledger.clone()).await,
                    Path::Inline { turns, .. } => match turns.acquire().await {
                        Ok(_turn) => self.courier.deliver(request, &ledger).await,
                        Err(_closed) => ledger.drop_items(request.items, DropReason::Shutdown),
                    },
                }
            }
        })
    }

    fn begin_shutdown(&self, deadline: Instant) {
        // The first deadline stands.
        self.courier.shutdown.send_if_modified(|at| {
            let first = at.is_none();
            at.get_or_insert(deadline);
            first
        });
    }

    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.begin_shutdown(deadline);
            match &self.path {
                Path::Queue { queue, workers } => {
                    queue.close();
                    // Each of them ends once the queue is empty; what the deadline cuts off is dropped one by one.
                    while workers.lock().await.join_next().await.is_some() {}
                }
                Path::Inline { turns, all } => {
                    // Those that wait for their turn have it first.
                    if turns.acquire_many(*all).await.is_ok() {
                        turns.close();
                    }
                }
            }
        })
    }
}

async fn work<T: Transport>(queue: Arc<Queue>, courier: Arc<Courier<T>>) {
    while let Some((request, ledger)) = queue.pop().await {
        courier.deliver(request, &ledger).await;
    }
}

impl<T: Transport> Courier<T> {
    /// Is the time for the shutdown over?
    fn is_too_late(&self) -> bool {
        self.shutdown.borrow().is_some_and(|deadline| deadline <= Instant::now())
    }

    async fn deliver(&self, request: Request, ledger: &Ledger) {
        let mut shutdown = self.shutdown.subscribe();
        let sent = retry::send(&self.transport, &request.body, &self.retry, &self.health, &mut shutdown);
        // A bug in a transport costs one request, not the worker and with it the queue.
        match AssertUnwindSafe(sent).catch_unwind().await {
            Ok(Ok(accepted)) => {
                if accepted == Accepted::default() {
                    self.health.success();
                } else {
                    self.health.partial_success(accepted.rejected, &accepted.message);
                }
                ledger.deliver(request.items, accepted.rejected);
            }
            Ok(Err(reason)) => ledger.drop_items(request.items, reason),
            Err(_panic) => {
                error!(items = request.items, "sending a request panicked; it is dropped");
                ledger.drop_items(request.items, DropReason::Internal);
            }
        }
    }
}

#[cfg(test)]
mod tests;
