//! A gap is what the kernel side counted and the reader did not hand over. It is recovered from the counters.
//!
//! An event is counted before it is sent, by IP version and reason, and numbered within its slot (a CPU and a kind). So:
//!
//! 1. Where a slot lost something, take a [snapshot](Counters::snapshot) of its counters. At that moment each event was
//!    either in the buffer or known as lost.
//! 2. Go on reading until all events from before the snapshot that were not lost have been read. Later events have a
//!    higher number, and are added up separately.
//! 3. The snapshot's counts minus what was handed over from before it is the gap. It is delivered once, class by class,
//!    and counts as handed over from then on.
//!
//! The sums come out right whatever the reason of the loss is: a full buffer or a full channel.

use otel_tcpretrans_pipeline::record::Amounts;

use crate::counters::{Counters, KINDS};
use crate::skeleton::types::{wire_class, wire_counters, wire_event, wire_kind, wire_reason};

/// IP versions and reasons.
pub(crate) const CLASSES: usize = 2 * wire_reason::REASONS.0 as usize;

fn amounts(class: &wire_class) -> Amounts {
    Amounts {
        events: class.events,
        segments: class.segments,
        bytes: class.payload_bytes,
        failures: class.failures,
    }
}

/// The amounts of each class.
pub(crate) type Classes = [Amounts; CLASSES];

/// The class of an event; its place in [`Classes`].
fn class_of(event: &wire_event) -> usize {
    let version = if event.ipv6 == 0 { 0 } else { CLASSES / 2 };
    version + usize::from(event.reason) % (CLASSES / 2)
}

/// The IP version and the reason that a class stands for.
pub(crate) fn version_and_reason(class: usize) -> (bool, u8) {
    (class >= CLASSES / 2, (class % (CLASSES / 2)) as u8)
}

/// Counts what was read and handed over, slot by slot.
#[derive(Debug)]
pub(crate) struct Gaps {
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// Events from before the snapshot; all events where there is none.
    before: ReadCounts,
    /// Events from after it.
    after: ReadCounts,
    snapshot: Option<Box<Snapshot>>,
    /// Losses that a gap has already.
    in_gaps: u64,
}

#[derive(Clone, Debug, Default)]
struct ReadCounts {
    /// Events read from the buffer.
    read: u64,
    /// Of those, events that were not handed over.
    refused: u64,
    handed: Classes,
}

#[derive(Clone, Debug)]
struct Snapshot {
    events: u64,
    lost: u64,
    classes: Classes,
}

impl Snapshot {
    fn of(counters: &wire_counters) -> Snapshot {
        Snapshot {
            events: counters.events,
            lost: counters.lost.iter().map(|lost| lost.events).sum(),
            classes: std::array::from_fn(|class| amounts(&counters.classes[class])),
        }
    }
}

impl Gaps {
    /// For a session's counters, nothing read yet.
    pub(crate) fn new(slots: usize) -> Gaps {
        Gaps { slots: vec![Slot::default(); slots] }
    }

    /// An event was read, and handed over or refused.
    pub(crate) fn read(&mut self, event: &wire_event, handed: bool) {
        let Some(slot) = self.slots.get_mut(event.cpu as usize * KINDS + usize::from(event.kind)) else {
            return; // no event of this session
        };
        let is_after = slot.snapshot.as_ref().is_some_and(|snapshot| event.sequence >= snapshot.events);
        let counts = if is_after { &mut slot.after } else { &mut slot.before };
        counts.read += 1;
        if !handed {
            counts.refused += 1;
            return;
        }
        let failed = event.err != 0;
        counts.handed[class_of(event)] += Amounts {
            events: 1,
            segments: event.segments.into(),
            bytes: if failed { 0 } else { event.payload_bytes.into() },
            failures: failed.into(),
        };
    }

    /// Before a pass over the buffer: snapshots of the slots that lost something. Returns whether there is something that
    /// was lost and has not been delivered as a gap.
    pub(crate) fn look(&mut self, counters: &Counters) -> bool {
        let mut is_missing = false;
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.snapshot.is_none() && slot.before.refused + counters.lost_events(number) > slot.in_gaps {
                slot.snapshot = counters.snapshot(number).map(|now| Box::new(Snapshot::of(&now)));
                is_missing = true; // with a snapshot or, where the CPU was too busy for one, without
            }
            is_missing |= slot.snapshot.is_some();
        }
        is_missing
    }

    /// After the last pass, with the programs detached: snapshots of all slots. What is missing now counts as lost.
    pub(crate) fn look_last(&mut self, counters: &Counters) {
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let after = std::mem::take(&mut slot.after);
            slot.before += after;
            let mut last = Snapshot::of(&counters.read(number));
            last.lost = last.events.saturating_sub(slot.before.read); // what has not come will not
            slot.snapshot = Some(Box::new(last));
        }
    }

    /// The gap, by class: of all slots whose events from before their snapshot have been read.
    pub(crate) fn gap(&self) -> Classes {
        let mut gap = Classes::default();
        for (number, slot) in self.slots.iter().enumerate() {
            let Some(snapshot) = slot.settled() else { continue };
            let kind = wire_kind((number % KINDS) as u32);
            let is_unseen = matches!(kind, wire_kind::KIND_UNSEEN | wire_kind::KIND_UNSEEN_AT_CLOSE);
            for ((sum, counted), handed) in gap.iter_mut().zip(&snapshot.classes).zip(&slot.before.handed) {
                let missing = counted.saturating_sub(*handed);
                // The end of a socket is no retransmission of its own.
                *sum += Amounts { events: if is_unseen { 0 } else { missing.events }, ..missing };
            }
        }
        gap
    }

    /// The [gap](Self::gap)'s numbers of a class were delivered.
    pub(crate) fn delivered(&mut self, class: usize) {
        for slot in &mut self.slots {
            if let Some(counted) = slot.settled().map(|snapshot| snapshot.classes[class]) {
                slot.before.handed[class] = counted;
            }
        }
    }

    /// All of the gap was delivered: its slots may have the next snapshot.
    pub(crate) fn close(&mut self) {
        for slot in &mut self.slots {
            if slot.settled().is_none() {
                continue;
            }
            if let Some(snapshot) = slot.snapshot.take() {
                slot.in_gaps = snapshot.lost + slot.before.refused;
                let after = std::mem::take(&mut slot.after);
                slot.before += after;
            }
        }
    }
}

impl Slot {
    /// The snapshot, once all that was in the buffer then has been read.
    fn settled(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref().filter(|snapshot| self.before.read + snapshot.lost >= snapshot.events)
    }
}

impl std::ops::AddAssign for ReadCounts {
    fn add_assign(&mut self, other: ReadCounts) {
        self.read += other.read;
        self.refused += other.refused;
        for (sum, handed) in self.handed.iter_mut().zip(other.handed) {
            *sum += handed;
        }
    }
}

#[cfg(test)]
mod tests;
