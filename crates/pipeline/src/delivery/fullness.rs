//! Since when a sending queue is full.

use std::time::Duration;

use tokio::time::Instant;

/// So long all requests must have found room before a queue counts as no longer full. A queue in which much is in flight
/// has room again with each answer, and is full a moment later.
const QUIET: Duration = Duration::from_secs(10);

/// A queue is full from the first request that finds no room. It is full no longer when two things hold: a quarter of what
/// it held then is gone, and all requests of the last 10 seconds have found room.
#[derive(Debug, Default)]
pub(super) struct Fullness(Option<Full>);

#[derive(Debug)]
struct Full {
    since: Instant,
    /// When the last request found no room.
    last: Instant,
    /// What the queue held at its fullest, in bytes.
    bytes: u64,
    /// Whether a quarter of that is gone.
    has_shrunk: bool,
}

impl Fullness {
    /// Notes that a request found no room while the queue held so many bytes.
    pub(super) fn no_room(&mut self, bytes: u64) {
        let now = Instant::now();
        let (since, bytes) = match &self.0 {
            Some(full) if !full.is_over() => (full.since, full.bytes.max(bytes)),
            _ => (now, bytes),
        };
        self.0 = Some(Full { since, last: now, bytes, has_shrunk: false });
    }

    /// Notes that the queue holds so many bytes after something has left it.
    pub(super) fn shrank(&mut self, bytes: u64) {
        if let Some(full) = &mut self.0 {
            full.has_shrunk |= bytes <= full.bytes - full.bytes / 4;
        }
    }

    /// Since when it is full; `None` if it is not.
    pub(super) fn since(&self) -> Option<Instant> {
        self.0.as_ref().filter(|full| !full.is_over()).map(|full| full.since)
    }
}

impl Full {
    fn is_over(&self) -> bool {
        self.has_shrunk && self.last.elapsed() >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_lasts_until_a_quarter_is_gone_and_all_find_room() {
        let mut fullness = Fullness::default();
        let start = Instant::now();
        fullness.shrank(10);
        assert_eq!(fullness.since(), None);
        fullness.no_room(100);
        advance(2 * QUIET).await;
        fullness.shrank(76);
        assert_eq!(fullness.since(), Some(start), "too little is gone");
        fullness.shrank(75);
        assert_eq!(fullness.since(), None);
        fullness.no_room(80);
        assert_eq!(fullness.since(), Some(start + 2 * QUIET), "a new one");
    }

    /// As with a slow backend, whose answers empty a small queue each time.
    #[tokio::test(start_paused = true)]
    async fn a_queue_that_overflows_again_and_again_stays_full() {
        let mut fullness = Fullness::default();
        let start = Instant::now();
        for _ in 0..100 {
            fullness.no_room(100);
            fullness.shrank(0);
            advance(QUIET / 2).await;
            assert_eq!(fullness.since(), Some(start));
        }
        advance(QUIET / 2).await;
        assert_eq!(fullness.since(), None);
    }
}
