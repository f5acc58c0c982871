//! Since when a sending queue is full.

use tokio::time::Instant;

/// A queue is full from the first request that finds no room, until a quarter of what the queue held then is gone. Small
/// requests still fit into a queue that is full for large ones, so one that fits does not end it.
#[derive(Debug, Default)]
pub(super) struct Fullness(Option<Full>);

#[derive(Debug)]
struct Full {
    since: Instant,
    /// What the queue held at its fullest, in bytes.
    bytes: u64,
}

impl Fullness {
    /// Notes that a request found no room while the queue held so many bytes.
    pub(super) fn no_room(&mut self, bytes: u64) {
        let full = self.0.get_or_insert_with(|| Full { since: Instant::now(), bytes });
        full.bytes = full.bytes.max(bytes);
    }

    /// Notes that the queue holds so many bytes after something has left it.
    pub(super) fn shrank(&mut self, bytes: u64) {
        self.0.take_if(|full| bytes <= full.bytes - full.bytes / 4);
    }

    /// Since when it is full; `None` if it is not.
    pub(super) fn since(&self) -> Option<Instant> {
        self.0.as_ref().map(|full| full.since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_lasts_until_a_quarter_is_gone() {
        let mut fullness = Fullness::default();
        let start = Instant::now();
        fullness.shrank(10);
        assert_eq!(fullness.since(), None);
        fullness.no_room(100);
        advance(Duration::from_secs(1)).await;
        fullness.shrank(80);
        fullness.no_room(96);
        fullness.shrank(76);
        assert_eq!(fullness.since(), Some(start));
        fullness.shrank(75);
        assert_eq!(fullness.since(), None);
        fullness.no_room(80);
        assert_eq!(fullness.since(), Some(start + Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_not_full() {
        let mut fullness = Fullness::default();
        fullness.no_room(0);
        fullness.shrank(0);
        assert_eq!(fullness.since(), None);
    }
}
