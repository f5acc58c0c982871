//! The sending queue: requests in memory, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::Request;
use super::health::Health;
use crate::books::{DropReason, Ledger, QueueCounts};
use crate::config::{Problem, Size};

/// `sending_queue`, the Collector's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Queue at all? Without it, a pipeline waits for each request and its retries.
    pub enabled: bool,
    /// Requests in flight at once. A metrics queue has one, lest cumulative points overtake each other.
    pub num_consumers: usize,
    /// What it holds at most, measured by `sizer`.
    pub queue_size: Size,
    /// What `queue_size` measures.
    pub sizer: Sizer,
    /// What becomes of a request that does not fit.
    pub on_full: OnFull,
    /// Extension that would keep it on disk: refused, being not built yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// What a queue's size measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizer {
    /// Encoded requests, in bytes.
    #[default]
    Bytes,
}

/// What becomes of a request for which the queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// It is dropped.
    #[default]
    DropNewest,
    /// The oldest are dropped until it fits.
    DropOldest,
    /// Its pipeline waits, and drops what comes in meanwhile once its own channel is full.
    Block,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig {
            enabled: true,
            num_consumers: 4,
            queue_size: Size::mib(64),
            sizer: Sizer::Bytes,
            on_full: OnFull::DropNewest,
            storage: None,
        }
    }
}

impl QueueConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.enabled && !(1..=MOST_CONSUMERS).contains(&self.num_consumers) {
            problems.push(Problem::at(
                "num_consumers",
                format!("{}; expected 1 to {MOST_CONSUMERS}", self.num_consumers),
            ));
        }
        if self.enabled && self.queue_size.bytes() < LEAST_QUEUE {
            // The Collector's default sizer counts requests, so that 1000 is a usual number there.
            problems.push(Problem::at(
                "queue_size",
                format!(
                    "{} bytes would hold no request; the size is in bytes, such as 64MiB",
                    self.queue_size.bytes()
                ),
            ));
        }
        if self.storage.is_some() {
            problems.push(Problem::at("storage", "is not built yet: the queue is in memory only; remove it"));
        }
        problems
    }
}

/// Each is a task of its own.
const MOST_CONSUMERS: usize = 10_000;
/// A batch of a few hundred records; anything less would drop what a burst brings.
const LEAST_QUEUE: u64 = 64 << 10;

/// Requests that wait for a consumer, oldest first.
pub(super) struct Queue {
    on_full: OnFull,
    /// In bytes.
    capacity: usize,
    /// Its permits are the bytes that are free. Closed with the queue.
    room: Arc<Semaphore>,
    state: Mutex<State>,
    /// A request has come, or the queue has been closed.
    changed: Notify,
    health: Arc<Health>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Of the bodies in `waiting`.
    bytes: u64,
    closed: bool,
}

struct Waiting {
    request: Request,
    ledger: Ledger,
    /// Gives the request's bytes back when it leaves.
    _room: OwnedSemaphorePermit,
}

impl Queue {
    pub(super) fn new(config: &QueueConfig, health: Arc<Health>) -> Self {
        let capacity = usize::try_from(config.queue_size.bytes()).unwrap_or(usize::MAX);
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Queue {
            on_full: config.on_full,
            capacity,
            room: Arc::new(Semaphore::new(capacity)),
            state: Mutex::default(),
            changed: Notify::new(),
            health,
        }
    }

    /// Takes a request over, or drops what its `on_full` says.
    pub(super) async fn push(&self, request: Request, ledger: Ledger) {
        // Larger than the whole queue: it would wait for ever, or evict everything for nothing.
        let Some(bytes) = u32::try_from(request.body.len()).ok().filter(|b| *b as usize <= self.capacity)
        else {
            return self.full(&ledger, request.items);
        };
        let waited = match self.on_full {
            OnFull::Block => Some(Arc::clone(&self.room).acquire_many_owned(bytes).await),
            OnFull::DropNewest | OnFull::DropOldest => None,
        };
        let mut state = self.lock();
        let room = match waited {
            Some(room) => room.map_err(|_| TryAcquireError::Closed),
            None => self.reserve(&mut state, bytes),
        };
        match room {
            Ok(_) if state.closed => ledger.drop_items(request.items, DropReason::Shutdown),
            Ok(room) => {
                ledger.enqueue(request.items);
                state.bytes += u64::from(bytes);
                state.waiting.push_back(Waiting { request, ledger, _room: room });
                self.changed.notify_one();
            }
            Err(TryAcquireError::NoPermits) => self.full(&ledger, request.items),
            Err(TryAcquireError::Closed) => ledger.drop_items(request.items, DropReason::Shutdown),
        }
    }

    /// The oldest request, as soon as there is one; `None` once the queue is closed and empty.
    pub(super) async fn pop(&self) -> Option<(Request, Ledger)> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listens before it looks: two requests that come in between wake two consumers, not one.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(oldest) = Self::leave(&mut state) {
                    if state.waiting.is_empty() {
                        self.health.queue_empty();
                    }
                    return Some(oldest);
                }
                if state.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes nothing any more; what waits for room is dropped, what is in the queue can still be popped.
    pub(super) fn close(&self) {
        self.room.close();
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    pub(super) fn counts(&self) -> QueueCounts {
        QueueCounts { size: self.lock().bytes, capacity: self.capacity as u64 }
    }

    /// Reserves room without waiting; under `drop_oldest` by dropping the oldest requests.
    fn reserve(&self, state: &mut State, bytes: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        loop {
            let reserved = Arc::clone(&self.room).try_acquire_many_owned(bytes);
            if self.on_full != OnFull::DropOldest || !matches!(reserved, Err(TryAcquireError::NoPermits)) {
                return reserved;
            }
            match Self::leave(state) {
                Some((oldest, ledger)) => self.full(&ledger, oldest.items),
                None => return reserved,
            }
        }
    }

    fn leave(state: &mut State) -> Option<(Request, Ledger)> {
        let Waiting { request, ledger, .. } = state.waiting.pop_front()?;
        ledger.dequeue(request.items);
        state.bytes -= request.body.len() as u64;
        Some((request, ledger))
    }

    fn full(&self, ledger: &Ledger, items: u64) {
        ledger.drop_items(items, DropReason::QueueFull);
        self.health.queue_full(items);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
