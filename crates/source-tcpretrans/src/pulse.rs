//! Whether the reader goes on, for the watchdog.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use otel_tcpretrans_pipeline::pulses::{Look, Probe};

use crate::counts::LiveCounts;

/// What was known when the reader was last seen to go on.
#[derive(Default)]
struct Seen {
    progress: u64,
    /// Events that the kernel side had counted.
    events: u64,
}

/// Looks at the reader of these counts. It has work while a pass lasts, and when the kernel side has counted events since
/// the last pass: it may sleep only while nothing comes.
pub(crate) fn probe(counts: Arc<LiveCounts>) -> Probe {
    let mut seen = Seen::default();
    Box::new(move || {
        let events = counts.running_events()?;
        let turns = counts.passes.look();
        let progress = turns.progress.wrapping_add(counts.taken.load(Ordering::Relaxed));
        Some(seen.look(progress, events, turns.has_work))
    })
}

impl Seen {
    fn look(&mut self, progress: u64, events: u64, in_pass: bool) -> Look {
        if progress != self.progress {
            *self = Seen { progress, events };
        }
        Look { progress, has_work: in_pass || events != self.events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_sleeps_has_work_once_events_have_come() {
        let mut seen = Seen::default();
        assert!(!seen.look(2, 10, false).has_work, "it has just made a pass");
        assert!(!seen.look(2, 10, false).has_work, "nothing has come");
        assert!(seen.look(2, 11, false).has_work, "it sleeps over an event");
        assert!(!seen.look(4, 11, false).has_work, "it has taken it");
        assert!(seen.look(5, 11, true).has_work, "it is in a pass");
    }
}
