//! An exporter of requests: it encodes batches, and delivers the requests over a queue or directly.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::log::DeliveryLog;
use super::queue::Queue;
use super::queue_config::QueueConfig;
use super::request::Encode;
use super::retry::{Kept, RetryConfig};
use super::retry_sender::RetrySender;
use super::stored::StoredQueue;
use super::transport::Transport;
use crate::books::{Books, DropReason, Ledger, Signal};
use crate::component::{Batch, Exporter};
use crate::metric::Temporality;
use crate::status::Reported;
use crate::storage::{OpenError, Storage};

/// An [`Exporter`] that encodes with `E` and sends with `T`, over a sending queue if one is configured.
pub struct QueuedExporter<E, T> {
    encoder: E,
    sender: Arc<RetrySender<T>>,
    route: Route,
    log: Arc<DeliveryLog>,
}

/// How a request gets from [`Exporter::export`] to the sender.
enum Route {
    /// Over a queue in memory. Workers lease its requests.
    Queue { queue: Arc<Queue>, workers: Mutex<JoinSet<()>> },
    /// Over a queue on disk, likewise.
    Stored { queue: Arc<StoredQueue>, workers: Mutex<JoinSet<()>> },
    /// Directly. The caller waits for one of `permits`, and then until its request is delivered or dropped.
    Direct { permits: Semaphore, all: u32 },
}

/// How requests wait and are sent.
#[derive(Clone, Default)]
pub struct Sending {
    /// The queue.
    pub queue: QueueConfig,
    /// The retries.
    pub retry: RetryConfig,
    /// Where the queue is, if it is on disk.
    pub storage: Option<Storage>,
}

impl<E: Encode, T: Transport> QueuedExporter<E, T> {
    /// Makes the exporter. If it has a queue, its workers start on the current tokio runtime, and the queue is added to
    /// the books.
    ///
    /// # Errors
    /// The store of its queue can't be used.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub fn start(
        id: String,
        signal: Signal,
        encoder: E,
        transport: T,
        Sending { queue, retry, storage }: Sending,
        books: &Books,
    ) -> Result<Arc<Self>, OpenError> {
        // Only one request of metrics is in flight at once, so that cumulative points can't overtake each other.
        let in_flight = if signal == Signal::Metrics { 1 } else { queue.num_consumers.max(1) };
        let log = Arc::new(DeliveryLog::new(id.clone(), signal));
        let sender = Arc::new(RetrySender::new(transport, retry, Arc::clone(&log)));
        let mut workers = JoinSet::new();
        let route = if let Some(storage) = storage.filter(|_| queue.enabled) {
            let queue = StoredQueue::open((&id, signal), &queue, &storage, books, Arc::clone(&log))?;
            let queue = Arc::new(queue);
            let probe = Arc::clone(&queue);
            books.add_queue(id, signal, move || probe.counts());
            for _ in 0..in_flight {
                workers.spawn(work_stored(Arc::clone(&queue), Arc::clone(&sender)));
            }
            Route::Stored { queue, workers: Mutex::new(workers) }
        } else if queue.enabled {
            let queue = Arc::new(Queue::new(&queue, Arc::clone(&log)));
            let probe = Arc::clone(&queue);
            books.add_queue(id, signal, move || probe.counts());
            for _ in 0..in_flight {
                workers.spawn(work(Arc::clone(&queue), Arc::clone(&sender)));
            }
            Route::Queue { queue, workers: Mutex::new(workers) }
        } else {
            let all = u32::try_from(in_flight).unwrap_or(u32::MAX);
            Route::Direct { permits: Semaphore::new(all as usize), all }
        };
        Ok(Arc::new(QueuedExporter { encoder, sender, route, log }))
    }
}

impl<E: Encode, T: Transport> Exporter for QueuedExporter<E, T> {
    fn temporality(&self) -> Option<Temporality> {
        self.encoder.temporality()
    }

    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // After the deadline there is still time to store something, but not to send it.
            if self.sender.is_too_late() && !matches!(self.route, Route::Stored { .. }) {
                return ledger.drop_items(batch.len() as u64, DropReason::Shutdown);
            }
            let encoded = self.encoder.encode(&batch);
            drop(batch);
            if encoded.too_large > 0 {
                ledger.drop_items(encoded.too_large, DropReason::TooLarge);
                self.log.too_large(encoded.too_large);
            }
            for request in encoded.requests {
                match &self.route {
                    Route::Queue { queue, .. } => queue.push(request, ledger.clone()).await,
                    Route::Stored { queue, .. } => queue.push(request, ledger.clone()).await,
                    Route::Direct { permits, .. } => match permits.acquire().await {
                        Ok(_permit) => {
                            self.sender.deliver(&request, Kept::InMemory, &ledger).await;
                        }
                        Err(_closed) => ledger.drop_items(request.items, DropReason::Shutdown),
                    },
                }
            }
        })
    }

    fn status(&self) -> watch::Receiver<Reported> {
        self.sender.status()
    }

    fn begin_shutdown(&self, deadline: Instant) {
        self.sender.begin_shutdown(deadline);
    }

    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.begin_shutdown(deadline);
            match &self.route {
                Route::Queue { queue, workers } => {
                    queue.close();
                    // Each worker ends when no request waits. After the deadline it drops the rest, one request after
                    // another.
                    while workers.lock().await.join_next().await.is_some() {}
                }
                Route::Stored { queue, workers } => {
                    queue.close();
                    let mut workers = workers.lock().await;
                    // A worker may wait for the disk, which knows no deadline.
                    let done = async { while workers.join_next().await.is_some() {} };
                    if timeout_at(deadline, done).await.is_err() {
                        queue.stop();
                        while workers.join_next().await.is_some() {}
                    }
                    queue.finish(deadline).await;
                }
                Route::Direct { permits, all } => {
                    // The semaphore is fair: requests that already wait for a permit get it first.
                    if permits.acquire_many(*all).await.is_ok() {
                        permits.close();
                    }
                }
            }
            self.sender.stopped();
        })
    }
}

/// Delivers what is in the queue until the queue is closed and nothing waits.
async fn work<T: Transport>(queue: Arc<Queue>, sender: Arc<RetrySender<T>>) {
    while let Some(lease) = queue.lease().await {
        sender.deliver(&lease.request, Kept::InMemory, &lease.ledger).await;
        lease.ack();
    }
}

/// Delivers what is in a queue on disk. After a shutdown has begun, it ends with the first failure: the rest stays there.
async fn work_stored<T: Transport>(queue: Arc<StoredQueue>, sender: Arc<RetrySender<T>>) {
    while let Some(lease) = queue.lease(|| sender.is_ending()).await {
        if sender.deliver(&lease.request, Kept::OnDisk(lease.patience), &lease.ledger).await {
            lease.ack();
        } else {
            queue.stop();
        }
    }
}

#[cfg(test)]
mod tests;
