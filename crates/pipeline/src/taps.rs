//! Taps: who looks at the records of a pipeline while it runs gets each record that has passed the pipeline's processors.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chunk::{self, Chunk, NoRoom, Receiver, Sender, Unsent};
use crate::record::Record;

/// The taps of all pipelines, by pipeline id. A tap outlives every generation of the graph. Clones share them.
#[derive(Clone, Default)]
pub struct Taps(Arc<Mutex<BTreeMap<String, Tap>>>);

impl Taps {
    /// The tap of a pipeline.
    pub fn of(&self, pipeline: &str) -> Tap {
        // No code that can panic runs between two changes that belong together.
        let mut taps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taps.entry(pipeline.to_owned()).or_default().clone()
    }
}

/// The tap of one pipeline. A clone shares it. While nobody listens, a record costs it nothing.
#[derive(Clone, Default)]
pub struct Tap(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_open: AtomicBool,
    listeners: Mutex<Vec<Entrance>>,
}

/// The pipeline's end of the way to a listener.
struct Entrance {
    records: Sender<Record>,
    missed: Arc<AtomicU64>,
}

/// Gets the records. Dropping it ends that.
pub struct Listener {
    records: Receiver<Record>,
    missed: Arc<AtomicU64>,
}

impl Tap {
    /// Listens from now on. At most `capacity` records wait for the listener; those that find no room are missed.
    ///
    /// # Panics
    /// Panics if `capacity` is 0.
    pub fn listen(&self, capacity: usize) -> Listener {
        let (sender, records) = chunk::channel(capacity);
        let missed = Arc::<AtomicU64>::default();
        let mut listeners = self.lock();
        listeners.push(Entrance { records: sender, missed: Arc::clone(&missed) });
        self.0.is_open.store(true, Ordering::Relaxed);
        Listener { records, missed }
    }

    /// Number of listeners.
    pub fn listeners(&self) -> usize {
        let mut listeners = self.lock();
        listeners.retain(|entrance| !entrance.is_left());
        listeners.len()
    }

    /// Shows records to all listeners. It waits for none of them.
    pub(crate) fn show(&self, records: &Chunk<Record>) {
        if records.is_empty() || !self.0.is_open.load(Ordering::Relaxed) {
            return;
        }
        let mut listeners = self.lock();
        listeners.retain(|entrance| entrance.offer(records.clone()));
        self.0.is_open.store(!listeners.is_empty(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entrance>> {
        // No code that can panic runs between two changes that belong together.
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entrance {
    /// Hands over what fits. False if the listener has left.
    fn offer(&self, records: Chunk<Record>) -> bool {
        let Err(Unsent { items, reason }) = self.records.offer(records) else { return true };
        self.missed.fetch_add(items as u64, Ordering::Relaxed);
        reason != NoRoom::Closed
    }

    fn is_left(&self) -> bool {
        matches!(self.records.try_reserve(1), Err(NoRoom::Closed))
    }
}

impl Listener {
    /// Waits for the next records. If the future is dropped, no record is lost.
    pub async fn next(&mut self) -> Chunk<Record> {
        match self.records.recv().await {
            Some(records) => records,
            // The tap is gone, and so is its process, or nearly.
            None => std::future::pending().await,
        }
    }

    /// Number of records that found no room.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixtures::record;

    fn records(count: usize) -> Chunk<Record> {
        std::iter::repeat_n(record(), count).collect()
    }

    #[tokio::test]
    async fn each_listener_gets_what_comes_after_it() {
        let taps = Taps::default();
        taps.of("logs").show(&records(1));
        let mut one = taps.of("logs").listen(10);
        taps.of("logs").show(&records(2));
        let mut other = taps.of("logs").listen(10);
        taps.of("logs").show(&records(3));
        taps.of("metrics").show(&records(4));
        assert_eq!((one.next().await.len(), one.next().await.len()), (2, 3));
        assert_eq!(other.next().await.len(), 3);
        assert_eq!((one.missed(), taps.of("logs").listeners()), (0, 2));
    }

    #[tokio::test]
    async fn a_slow_listener_misses_what_finds_no_room() {
        let tap = Tap::default();
        let (mut slow, mut fast) = (tap.listen(3), tap.listen(10));
        tap.show(&records(2));
        tap.show(&records(5));
        assert_eq!((fast.next().await.len(), fast.next().await.len()), (2, 5));
        assert_eq!((slow.next().await.len(), slow.next().await.len(), slow.missed()), (2, 1, 4));
        tap.show(&records(1));
        assert_eq!((slow.next().await.len(), slow.missed()), (1, 4));
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let tap = Tap::default();
        let listener = tap.listen(3);
        drop(tap.listen(3));
        assert_eq!(tap.listeners(), 1);
        drop(listener);
        tap.show(&records(1));
        assert!(tap.lock().is_empty() && !tap.0.is_open.load(Ordering::Relaxed));
    }
}
