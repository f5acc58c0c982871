//! The numbers of a receiver.

use std::ops::AddAssign;

/// What a receiver did not observe, where and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unobserved {
    /// Where it was lost: `kernel`, `channel`, `decode`, `flow`; `recording`, `file`.
    pub place: &'static str,
    /// Why: `ring_full`, `channel_full`, `truncated`, `unknown_family`, …
    pub reason: &'static str,
    /// On which CPU, if that is known.
    pub cpu: Option<u32>,
    /// Number of events.
    pub events: u64,
    /// Number of segments of those events, if it is known at that place.
    pub segments: Option<u64>,
}

/// What a receiver did not observe and handed over as gaps: records that have amounts and no flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GapCounts {
    /// Number of gaps. Each is one record.
    pub records: u64,
    /// Number of events in gaps.
    pub events: u64,
    /// Number of segments in gaps.
    pub segments: u64,
}

/// The name of the gauge that a receiver which audits has: segments by which what was told differs from the kernel's count.
/// Above 0, the process is not healthy.
pub const AUDIT_DIFFERENCE: &str = "audit_difference";

/// A fact about a receiver that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The instrument's name without its prefix.
    pub name: &'static str,
    /// The unit, in UCUM.
    pub unit: &'static str,
    /// What it says, in words for people.
    pub description: &'static str,
}

/// Numbers of one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounts {
    /// Whether it makes metric points. All numbers are points then, not events.
    pub makes_points: bool,
    /// Events that the source itself (the kernel) counted before it tried to hand them over.
    pub seen: u64,
    /// Events whose records reached the pipelines.
    pub received: u64,
    /// Segments in the records that reached the pipelines, those of gaps included.
    pub received_segments: u64,
    /// Events whose records did not reach the pipelines, by place and reason.
    pub unobserved: Vec<Unobserved>,
    /// What it handed over as gaps. The events in them are still unobserved.
    pub gaps: GapCounts,
    /// Facts as text, which are shown as labels: hook, transport.
    pub info: Vec<(&'static str, String)>,
    /// Facts as numbers, such as pages reached or ring size.
    pub gauges: Vec<(&'static Gauge, u64)>,
}

/// Adds the numbers of a receiver that has ended to those of its successor. `info` and `gauges` stay as the successor
/// has them.
impl AddAssign<&ReceiverCounts> for ReceiverCounts {
    fn add_assign(&mut self, before: &ReceiverCounts) {
        self.seen += before.seen;
        self.received += before.received;
        self.received_segments += before.received_segments;
        self.gaps.records += before.gaps.records;
        self.gaps.events += before.gaps.events;
        self.gaps.segments += before.gaps.segments;
        for lost in &before.unobserved {
            let is_same = |now: &&mut Unobserved| {
                (now.place, now.reason, now.cpu) == (lost.place, lost.reason, lost.cpu)
            };
            match self.unobserved.iter_mut().find(is_same) {
                Some(now) => {
                    now.events += lost.events;
                    now.segments = now.segments.zip(lost.segments).map(|(now, before)| now + before);
                }
                None => self.unobserved.push(lost.clone()),
            }
        }
    }
}
