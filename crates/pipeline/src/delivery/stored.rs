//! The sending queue on disk: what is committed survives the process. Workers lease the oldest request first, and
//! acknowledge it when its end is in the books.
//!
//! A thread of its own does all work with the disk, so that no task ever waits for it. Requests that come in while it
//! works become one commit. Of what is on disk, only the next requests are in memory.

mod command;
mod ledgers;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use super::log::DeliveryLog;
use super::queue_config::QueueConfig;
use super::request::Request;
use crate::books::{Books, DropReason, Ledger, QueueCounts, Signal};
use crate::storage::{OpenError, Storage};
use command::{Append, Command};
use ledgers::Ledgers;
use shared::Shared;
use state::{Entry, State};
use writer::{Settings, Writer};

/// Requests that are not committed yet have at most so many bytes together. It is at least the largest request.
const UNCOMMITTED: usize = 8 << 20;
/// How long after its deadline a shutdown waits for the last commit.
const LAST_COMMIT: Duration = Duration::from_millis(500);

/// A sending queue on disk.
pub(super) struct StoredQueue {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// Room for requests that are not committed yet, one permit per byte. Closed together with the queue.
    uncommitted: Arc<Semaphore>,
    /// Gets a message when the thread has ended.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    retention: Duration,
}

/// A request that a worker has taken. If the lease is dropped without [`StoredLease::ack`], the request waits again, at
/// its old place.
pub(super) struct StoredLease<'q> {
    queue: &'q StoredQueue,
    /// `None` after the acknowledgement.
    entry: Option<Entry>,
    pub(super) request: Request,
    pub(super) ledger: Ledger,
    /// How long it may still be retried.
    pub(super) patience: Duration,
}

impl StoredQueue {
    /// Opens the store of an exporter and signal, and starts the thread. If an exporter of this process still uses the
    /// store, the thread opens it later.
    ///
    /// # Errors
    /// The store can't be used.
    pub(super) fn open(
        (exporter, signal): (&str, Signal),
        config: &QueueConfig,
        storage: &Storage,
        books: &Books,
        log: Arc<DeliveryLog>,
    ) -> Result<Self, OpenError> {
        let place = storage.place(exporter, signal);
        let settings = Settings {
            on_full: config.on_full(),
            max_size: place.config.max_size.bytes(),
            max_bytes: config.queue_size.map_or(u64::MAX, |size| size.bytes()),
            retention: i64::try_from(place.config.retention.as_millis()).unwrap_or(i64::MAX),
        };
        let ledgers = Ledgers::new(exporter, signal, books);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(ledgers, storage.capacity(config))),
            changed: Notify::new(),
            stopped: AtomicBool::new(false),
            log,
        });
        let (commands, receiver) = mpsc::channel();
        let (ended, has_ended) = oneshot::channel();
        let (retention, path) = (*place.config.retention, place.file.clone());
        let writer = Writer::new(place, settings, Arc::clone(&shared), receiver)?;
        let thread = std::thread::Builder::new().name("storage".to_owned());
        let spawned = thread.spawn(move || {
            writer.run();
            let _ = ended.send(()); // the queue may be gone
        });
        spawned.map_err(|error| OpenError::Store { path, why: format!("can't start a thread: {error}") })?;
        Ok(StoredQueue {
            shared,
            commands,
            uncommitted: Arc::new(Semaphore::new(UNCOMMITTED)),
            ended: Mutex::new(Some(has_ended)),
            retention,
        })
    }

    /// Hands a request to the thread. It counts as queued when it is committed. Waits while too much is not committed.
    pub(super) async fn push(&self, request: Request, ledger: Ledger) {
        let bytes = u32::try_from(request.body.len().min(UNCOMMITTED)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.uncommitted).acquire_many_owned(bytes).await else {
            return ledger.drop_items(request.items, DropReason::Shutdown);
        };
        self.shared.lock().uncommitted += 1;
        let append = Append { request, ledger, _room: room };
        if let Err(mpsc::SendError(Command::Append(append))) = self.commands.send(Command::Append(append)) {
            // The thread ends only after the queue is closed, unless it has panicked.
            self.shared.lock().uncommitted -= 1;
            append.ledger.drop_items(append.request.items, DropReason::Internal);
        }
    }

    /// Leases the oldest waiting request, as soon as there is one. `None` if nothing is to be sent any more: the queue is
    /// stopped, or closed and empty. If `is_ending`, also if a successor waits for the store.
    pub(super) async fn lease(&self, is_ending: impl Fn() -> bool) -> Option<StoredLease<'_>> {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.shared.lock();
                if self.shared.stopped.load(Ordering::Relaxed) || (state.is_wanted() && is_ending()) {
                    return None;
                }
                let taken = state.take();
                if state.should_fetch() {
                    state.fetching = self.commands.send(Command::Fetch).is_ok();
                }
                if let Some(entry) = taken {
                    entry.ledger.dequeue(entry.row.request.items);
                    let (request, ledger) = (entry.row.request.clone(), entry.ledger.clone());
                    let age = u64::try_from(state.now() - entry.row.first_enqueued).unwrap_or(0);
                    let patience = self.retention.saturating_sub(Duration::from_millis(age));
                    return Some(StoredLease { queue: self, entry: Some(entry), request, ledger, patience });
                }
                if state.closed && state.is_empty() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// From now on no request is leased. What waits stays on disk.
    pub(super) fn stop(&self) {
        if !self.shared.stopped.swap(true, Ordering::Relaxed) {
            let _ = self.commands.send(Command::Stop); // it has ended
            self.shared.changed.notify_waiters();
        }
    }

    /// Takes no further requests. What waits can still be leased.
    pub(super) fn close(&self) {
        self.uncommitted.close();
        self.shared.lock().closed = true;
        self.shared.changed.notify_waiters();
    }

    /// Commits what came in, and counts what is left as stored. Waits for that a little longer than until `deadline`.
    pub(super) async fn finish(&self, deadline: Instant) {
        self.close();
        let _ = self.commands.send(Command::Finish); // it has ended
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended {
            let until = deadline.max(Instant::now()) + LAST_COMMIT;
            let _ = tokio::time::timeout_at(until, ended).await;
        }
    }

    pub(super) fn counts(&self) -> QueueCounts {
        self.shared.lock().counts()
    }
}

impl StoredLease<'_> {
    /// Removes the request from the queue. The ledger must have its outcome by then.
    pub(super) fn ack(mut self) {
        let Some(entry) = self.entry.take() else { return };
        self.queue.shared.lock().end_lease(&entry);
        let _ = self.queue.commands.send(Command::Remove(entry.row.id)); // then it is sent again after the next start
    }
}

impl Drop for StoredLease<'_> {
    /// Gives the request back, unless it was acknowledged.
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let mut state = self.queue.shared.lock();
        entry.ledger.enqueue(entry.row.request.items);
        state.give_back(entry);
        drop(state);
        self.queue.shared.changed.notify_one();
    }
}
