//! A bound in items, for a channel whose messages have many items: a semaphore with one permit per item.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// How many items may wait. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// One permit per item for which there is still room.
    room: Arc<Semaphore>,
    capacity: usize,
}

/// Reserved room for one or more items. It is free again when it is dropped.
#[derive(Debug)]
pub struct Room(OwnedSemaphorePermit);

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The channel is full.
    #[error("the channel is full")]
    Full,
    /// The other end is closed.
    #[error("the channel is closed")]
    Closed,
}

impl Room {
    /// Number of items for which it is. At least 1.
    #[allow(clippy::len_without_is_empty)] // it is never empty
    pub fn len(&self) -> usize {
        self.0.num_permits()
    }

    /// Its part for `items` items. The rest is free again. `None` if it is for fewer.
    pub(super) fn cut(mut self, items: usize) -> Option<Room> {
        self.0.split(items).map(Room)
    }
}

impl Bound {
    /// Room for `capacity` items.
    pub(crate) fn new(capacity: usize) -> Bound {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Bound { room: Arc::new(Semaphore::new(capacity)), capacity }
    }

    /// Reserves room for as many items as fit now, at most `most`.
    ///
    /// # Errors
    /// There is room for none.
    pub(crate) fn try_reserve(&self, most: usize) -> Result<Room, NoRoom> {
        loop {
            // With 1 at least, a closed or full channel is noticed.
            let fits = self.room.available_permits().min(most).max(1);
            match Arc::clone(&self.room).try_acquire_many_owned(u32::try_from(fits).unwrap_or(u32::MAX)) {
                Ok(permits) => return Ok(Room(permits)),
                Err(TryAcquireError::Closed) => return Err(NoRoom::Closed),
                // Another sender was faster.
                Err(TryAcquireError::NoPermits) if fits > 1 => {}
                Err(TryAcquireError::NoPermits) => return Err(NoRoom::Full),
            }
        }
    }

    /// Waits until there is room, and reserves as much as fits then, at most `most` items. `None` if it is closed.
    pub(crate) async fn reserve(&self, most: usize) -> Option<Room> {
        let Room(mut permits) = match self.try_reserve(most) {
            Ok(room) => return Some(room),
            Err(_) => Room(Arc::clone(&self.room).acquire_owned().await.ok()?),
        };
        if most > 1
            && let Ok(Room(more)) = self.try_reserve(most - 1)
        {
            permits.merge(more);
        }
        Some(Room(permits))
    }

    /// Whether no room is taken.
    pub(crate) fn is_free(&self) -> bool {
        self.room.available_permits() == self.capacity
    }

    /// Gives no further room, and wakes all who wait for it.
    pub(crate) fn close(&self) {
        self.room.close();
    }
}
