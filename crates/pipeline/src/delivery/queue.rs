//! The sending queue: requests in memory, bounded in bytes. Workers lease the oldest request first, and acknowledge it
//! when it is delivered or dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::fullness::Fullness;
use super::log::DeliveryLog;
use super::queue_config::{OnFull, QueueConfig};
use super::request::Request;
use crate::books::{DropReason, Ledger, QueueCounts};

/// Requests that wait for a worker, and requests that workers have leased. Both count against its size.
pub(super) struct Queue {
    on_full: OnFull,
    /// In bytes.
    capacity: usize,
    /// One permit per free byte. It is closed together with the queue.
    room: Arc<Semaphore>,
    state: Mutex<State>,
    /// Notified when there is a request to lease, and when the queue is closed.
    changed: Notify,
    log: Arc<DeliveryLog>,
}

#[derive(Default)]
struct State {
    /// By number. Requests are numbered as they come in, so that the smallest number is the oldest request.
    waiting: BTreeMap<u64, Entry>,
    /// Size of the bodies that are leased and not acknowledged yet.
    leased: u64,
    /// Size of the bodies that wait or are leased.
    bytes: u64,
    fullness: Fullness,
    next_number: u64,
    closed: bool,
}

struct Entry {
    request: Request,
    ledger: Ledger,
    /// The request's part of the room. It is free again when this is dropped.
    room: OwnedSemaphorePermit,
}

/// A request that a worker has taken. If the lease is dropped without [`Lease::ack`], the request waits again, at its
/// old place.
pub(super) struct Lease<'q> {
    queue: &'q Queue,
    number: u64,
    pub(super) request: Request,
    pub(super) ledger: Ledger,
    /// The request's part of the room; `None` after the acknowledgement.
    room: Option<OwnedSemaphorePermit>,
}

impl Queue {
    pub(super) fn new(config: &QueueConfig, log: Arc<DeliveryLog>) -> Self {
        let capacity = usize::try_from(config.size_in_memory().bytes()).unwrap_or(usize::MAX);
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Queue {
            on_full: config.on_full(),
            capacity,
            room: Arc::new(Semaphore::new(capacity)),
            state: Mutex::default(),
            changed: Notify::new(),
            log,
        }
    }

    /// Puts a request at the end. If there is no room for it, `on_full` decides what is dropped, or that this waits.
    pub(super) async fn push(&self, request: Request, ledger: Ledger) {
        // A request that is larger than the queue never fits: it must neither wait for room nor evict others.
        let Some(bytes) = u32::try_from(request.body.len()).ok().filter(|b| *b as usize <= self.capacity)
        else {
            return self.refuse(&ledger, request.items);
        };
        let waited = match self.on_full {
            OnFull::Block => {
                if self.room.available_permits() < bytes as usize {
                    self.lock().overflows();
                }
                Some(Arc::clone(&self.room).acquire_many_owned(bytes).await)
            }
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
                let number = state.next_number;
                state.next_number += 1;
                state.waiting.insert(number, Entry { request, ledger, room });
                self.changed.notify_one();
            }
            Err(TryAcquireError::NoPermits) => {
                state.overflows();
                self.refuse(&ledger, request.items);
            }
            Err(TryAcquireError::Closed) => ledger.drop_items(request.items, DropReason::Shutdown),
        }
    }

    /// Leases the oldest waiting request, as soon as there is one. `None` if the queue is closed and no request waits.
    pub(super) async fn lease(&self) -> Option<Lease<'_>> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registers for notifications before it looks at the queue. `Notify` stores only one notification, so that
            // otherwise two requests that come in between would wake only one worker.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some((number, Entry { request, ledger, room })) = state.waiting.pop_first() {
                    ledger.dequeue(request.items);
                    state.leased += request.bytes();
                    return Some(Lease { queue: self, number, request, ledger, room: Some(room) });
                }
                if state.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes no further requests. A push that waits for room drops its request. Waiting requests can still be leased.
    pub(super) fn close(&self) {
        self.room.close();
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    pub(super) fn counts(&self) -> QueueCounts {
        let state = self.lock();
        QueueCounts { size: state.bytes, capacity: self.capacity as u64, full_since: state.fullness.since() }
    }

    /// Reserves room without waiting. Under `drop_oldest` it drops waiting requests, the oldest first, until there is
    /// room. If the leased requests leave too little room for that, it drops none.
    fn reserve(&self, state: &mut State, bytes: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let may_evict =
            self.on_full == OnFull::DropOldest && state.leased + u64::from(bytes) <= self.capacity as u64;
        loop {
            let reserved = Arc::clone(&self.room).try_acquire_many_owned(bytes);
            if !may_evict || !matches!(reserved, Err(TryAcquireError::NoPermits)) {
                return reserved;
            }
            state.overflows();
            let Some((_, oldest)) = state.waiting.pop_first() else { return reserved };
            state.bytes -= oldest.request.bytes();
            oldest.ledger.drop_queued(oldest.request.items, DropReason::QueueFull);
            self.log.queue_full(oldest.request.items);
        }
    }

    /// Drops a new request that has no room.
    fn refuse(&self, ledger: &Ledger, items: u64) {
        ledger.drop_items(items, DropReason::QueueFull);
        self.log.queue_full(items);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes that a request found no room.
    fn overflows(&mut self) {
        self.fullness.no_room(self.bytes);
    }
}

impl Lease<'_> {
    /// Removes the request from the queue, and frees its room. The ledger must have its outcome by then.
    pub(super) fn ack(mut self) {
        let mut state = self.queue.lock();
        self.room = None;
        state.leased -= self.request.bytes();
        state.bytes -= self.request.bytes();
        let bytes = state.bytes;
        state.fullness.shrank(bytes);
        if bytes == 0 {
            self.queue.log.queue_empty();
        }
    }
}

impl Drop for Lease<'_> {
    /// Gives the request back, unless it was acknowledged.
    fn drop(&mut self) {
        let Some(room) = self.room.take() else { return };
        let mut state = self.queue.lock();
        state.leased -= self.request.bytes();
        self.ledger.enqueue(self.request.items);
        let entry = Entry { request: self.request.clone(), ledger: self.ledger.clone(), room };
        state.waiting.insert(self.number, entry);
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
