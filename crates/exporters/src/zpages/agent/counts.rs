//! What is counted of an agent's records, and what the agent says was lost before they came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use otel_tcpretrans_pipeline::books::{ReceiverCounts, Unobserved};

use crate::zpages::lines::Status;

/// The numbers of all connections.
#[derive(Debug, Default)]
pub(super) struct AgentCounts(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    received: u64,
    /// The sums of the connections before this one.
    before: [u64; 3],
    /// What the agent has said last on this connection.
    now: [u64; 3],
}

/// Where and why, in the order of the numbers.
const LOST: [(&str, &str); 3] =
    [("agent", "not_observed"), ("agent", "pipeline_full"), ("connection", "too_slow")];

impl AgentCounts {
    /// A connection begins, which counts from 0.
    pub(super) fn connect(&self) {
        let mut numbers = self.lock();
        let now = std::mem::take(&mut numbers.now);
        numbers.before.iter_mut().zip(now).for_each(|(before, now)| *before += now);
    }

    /// Events were handed over.
    pub(super) fn received(&self, events: u64) {
        self.lock().received += events;
    }

    /// The agent has said what was lost.
    pub(super) fn told(&self, status: &Status) {
        self.lock().now = [status.lost_events, status.dropped_records, status.missed_records];
    }

    /// The numbers of the receiver.
    pub(super) fn counts(&self) -> ReceiverCounts {
        let numbers = self.lock();
        let lost = LOST.iter().zip(numbers.before.iter().zip(numbers.now));
        let unobserved: Vec<_> = lost
            .map(|((place, reason), (before, now))| Unobserved {
                place,
                reason,
                cpu: None,
                events: before + now,
                segments: None,
            })
            .collect();
        let seen = numbers.received + unobserved.iter().map(|lost| lost.events).sum::<u64>();
        ReceiverCounts { seen, unobserved, ..ReceiverCounts::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        // No code that can panic runs between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_added_up_over_connections() {
        let counts = AgentCounts::default();
        let told = |lost_events, missed_records| {
            counts.told(&Status { lost_events, missed_records, ..Status::default() });
        };
        counts.connect();
        told(2, 1);
        told(3, 1);
        counts.received(10);
        counts.connect();
        told(4, 0);
        let counts = counts.counts();
        let lost: Vec<_> = counts.unobserved.iter().map(|lost| (lost.reason, lost.events)).collect();
        assert_eq!(lost, [("not_observed", 7), ("pipeline_full", 0), ("too_slow", 1)]);
        assert_eq!(counts.seen, 18);
    }
}
