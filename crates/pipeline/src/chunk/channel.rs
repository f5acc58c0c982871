//! A channel of chunks that is bounded in items. tokio's bounded channel counts messages, so that its bound would depend
//! on the size of the chunks.

use tokio::sync::mpsc;

use super::model::Chunk;
use super::room::{Bound, NoRoom, Room};

/// Makes a channel in which at most `capacity` items wait.
///
/// # Panics
/// Panics if `capacity` is 0: nothing could be sent.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel without room");
    let bound = Bound::new(capacity);
    let (sender, chunks) = mpsc::unbounded_channel();
    (Sender { bound: bound.clone(), chunks: sender }, Receiver { bound, chunks })
}

/// The end that sends. Clones share the channel's room.
pub struct Sender<T> {
    bound: Bound,
    chunks: mpsc::UnboundedSender<(Chunk<T>, Room)>,
}

/// The end that receives. Dropping it closes the channel.
pub struct Receiver<T> {
    bound: Bound,
    chunks: mpsc::UnboundedReceiver<(Chunk<T>, Room)>,
}

/// What an [offer](Sender::offer) could not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Number of items.
    pub items: usize,
    /// Why.
    pub reason: NoRoom,
}

impl<T> Sender<T> {
    /// Reserves room for as many items as fit now, at most `most`.
    ///
    /// # Errors
    /// There is room for none.
    pub fn try_reserve(&self, most: usize) -> Result<Room, NoRoom> {
        self.bound.try_reserve(most)
    }

    /// Waits until there is room, and reserves as much as fits then, at most `most` items. `None` if the other end is
    /// closed.
    pub async fn reserve(&self, most: usize) -> Option<Room> {
        self.bound.reserve(most).await
    }

    /// Sends a chunk into reserved room. What is left of the room is free again.
    ///
    /// # Errors
    /// The other end is closed. The error is the chunk.
    ///
    /// # Panics
    /// Panics if the chunk has more items than there is room for: the channel would exceed its bound.
    pub fn send(&self, room: Room, chunk: Chunk<T>) -> Result<(), Chunk<T>> {
        let places = room.len();
        let Some(taken) = room.cut(chunk.len()) else {
            panic!("room for {places} items, a chunk of {}", chunk.len());
        };
        self.chunks.send((chunk, taken)).map_err(|error| error.0.0)
    }

    /// Sends the part of a chunk for which there is room now.
    ///
    /// # Errors
    /// Not everything was sent: how many items were not, and why.
    pub fn offer(&self, mut rest: Chunk<T>) -> Result<(), Unsent> {
        while !rest.is_empty() {
            let unsent = |reason| Unsent { items: rest.len(), reason };
            let room = self.try_reserve(rest.len()).map_err(unsent)?;
            let part = rest.split_to(room.len());
            self.send(room, part)
                .map_err(|part| Unsent { items: part.len() + rest.len(), reason: NoRoom::Closed })?;
        }
        Ok(())
    }

    /// Whether nothing waits and no room is reserved.
    pub fn is_empty(&self) -> bool {
        self.bound.is_free()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { bound: self.bound.clone(), chunks: self.chunks.clone() }
    }
}

impl<T> Receiver<T> {
    /// Waits for the next chunk. `None` if the channel is closed and nothing is left in it.
    ///
    /// If the future is dropped, no chunk is lost.
    pub async fn recv(&mut self) -> Option<Chunk<T>> {
        self.chunks.recv().await.map(|(chunk, _)| chunk)
    }

    /// As [`recv`](Self::recv), for a thread that does not run async code.
    ///
    /// # Panics
    /// Panics within async code.
    pub fn blocking_recv(&mut self) -> Option<Chunk<T>> {
        self.chunks.blocking_recv().map(|(chunk, _)| chunk)
    }

    /// The next chunk, if one waits.
    pub fn try_recv(&mut self) -> Option<Chunk<T>> {
        self.chunks.try_recv().ok().map(|(chunk, _)| chunk)
    }

    /// Takes no further chunks. What is in the channel can still be received.
    pub fn close(&mut self) {
        self.bound.close();
        self.chunks.close();
    }

    /// Whether nothing more can come: all senders are gone, or it was closed.
    pub fn is_closed(&self) -> bool {
        self.chunks.is_closed()
    }
}

impl<T> Drop for Receiver<T> {
    /// Wakes all who wait for room.
    fn drop(&mut self) {
        self.bound.close();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::ops::Range;

    use super::*;

    fn send(out: &Sender<u32>, mut items: Range<u32>) -> Result<usize, NoRoom> {
        let room = out.try_reserve(items.len())?;
        let sent = room.len();
        out.send(room, items.by_ref().take(sent).collect()).unwrap();
        Ok(sent)
    }

    #[test]
    fn the_bound_is_in_items() {
        let (out, mut chunks) = channel(5);
        assert!(out.is_empty());
        assert_eq!(send(&out, 0..2), Ok(2));
        assert_eq!(send(&out, 2..9), Ok(3), "what fits");
        assert_eq!(send(&out, 5..6), Err(NoRoom::Full));
        assert_eq!(&*chunks.try_recv().unwrap(), [0, 1]);
        assert_eq!(send(&out, 5..9), Ok(2), "the room of a chunk is free when the chunk is received");
        assert_eq!(&*chunks.try_recv().unwrap(), [2, 3, 4]);
        assert_eq!(&*chunks.try_recv().unwrap(), [5, 6]);
        assert!(chunks.try_recv().is_none() && out.is_empty());
    }

    #[test]
    fn an_offer_sends_what_fits_and_tells_the_rest() {
        let (out, mut chunks) = channel(5);
        assert_eq!(out.offer((0..3).collect()), Ok(()));
        assert_eq!(out.offer((3..9).collect()), Err(Unsent { items: 4, reason: NoRoom::Full }));
        assert_eq!(&*chunks.try_recv().unwrap(), [0, 1, 2]);
        assert_eq!(&*chunks.try_recv().unwrap(), [3, 4]);
        chunks.close();
        assert_eq!(out.offer((0..2).collect()), Err(Unsent { items: 2, reason: NoRoom::Closed }));
        assert_eq!(out.offer(Chunk::default()), Ok(()));
    }

    #[test]
    fn room_that_is_not_used_is_free_again() {
        let (out, _chunks) = channel(4);
        let room = out.try_reserve(4).unwrap();
        assert_eq!(out.try_reserve(1).unwrap_err(), NoRoom::Full);
        out.send(room, Chunk::from(vec![1])).unwrap();
        assert_eq!(out.try_reserve(9).unwrap().len(), 3);
        assert_eq!(out.try_reserve(9).unwrap().len(), 3, "dropped unused");
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it_or_learns_of_the_end() {
        let (out, mut chunks) = channel(3);
        send(&out, 0..3).unwrap();
        let mut waiting = Box::pin(out.reserve(2));
        assert!(futures::poll!(&mut waiting).is_pending());
        chunks.try_recv().unwrap();
        assert_eq!(waiting.await.unwrap().len(), 2);

        send(&out, 0..3).unwrap();
        let mut waiting = Box::pin(out.reserve(2));
        assert!(futures::poll!(&mut waiting).is_pending());
        chunks.close();
        assert!(waiting.await.is_none());
        assert_eq!(out.try_reserve(1).unwrap_err(), NoRoom::Closed);
        assert_eq!(chunks.recv().await.unwrap().len(), 3, "what was sent before is still there");
        assert!(chunks.recv().await.is_none());
    }

    #[test]
    fn a_chunk_for_a_dropped_receiver_comes_back() {
        let (out, chunks) = channel(3);
        let room = out.try_reserve(3).unwrap();
        drop(chunks);
        assert_eq!(&*out.send(room, (0..3).collect()).unwrap_err(), [0, 1, 2]);
    }
}
