//! From readings to points: each counter of each namespace is a series that begins with 0 and never falls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::attribute::{Attribute, Key, OwnedValue};
use otel_tcpretrans_pipeline::metric::{MetricPoint, Reading, Temporality};

use super::mib::{COUNT, Counters, METRICS};
use super::namespaces::Owner;

/// How long a namespace that has ended is reported with its last reading, in ns.
const LINGER: u64 = 15 * 60 * 1_000_000_000;

/// The series of all namespaces.
pub(super) struct Series {
    /// When the receiver was started, from the start of the machine.
    started: Duration,
    /// When the last report was, in ns since the Unix epoch. 0 before the first one.
    last: u64,
    known: BTreeMap<u64, Namespace>,
}

struct Namespace {
    attributes: Arc<[(Key, OwnedValue)]>,
    /// When its series began, in ns since the Unix epoch.
    start: u64,
    /// What the counters were then.
    base: [u64; COUNT],
    counters: Counters,
    /// When it was last there.
    seen: u64,
    is_new: bool,
}

impl Series {
    pub(super) fn new(started: Duration) -> Series {
        Series { started, last: 0, known: BTreeMap::new() }
    }

    /// The points of a report at `now`.
    pub(super) fn update(
        &mut self,
        now: u64,
        readings: BTreeMap<u64, (Owner, Counters)>,
    ) -> Vec<MetricPoint> {
        // A clock that was set back stands still until it has caught up.
        let now = now.max(self.last);
        let before: BTreeMap<u64, Counters> =
            self.known.iter().map(|(inode, known)| (*inode, known.counters)).collect();
        for (inode, (owner, counters)) in readings {
            let fell = |known: &Namespace| {
                let pairs = known.counters.iter().zip(&counters);
                pairs
                    .into_iter()
                    .any(|(before, now)| now.zip(*before).is_some_and(|(now, before)| now < before))
            };
            match self.known.get_mut(&inode).filter(|known| !fell(known)) {
                Some(known) => (known.counters, known.seen) = (counters, now),
                None => {
                    // The inode of a namespace that has ended may be another's now. That one begins with 0.
                    let is_reused = self.known.contains_key(&inode);
                    self.known.insert(inode, self.begin(now, inode, &owner, counters, is_reused));
                }
            }
        }
        self.known.retain(|_, known| now - known.seen < LINGER);
        let mut points = Vec::new();
        for (inode, known) in &mut self.known {
            let is_new = std::mem::take(&mut known.is_new);
            let before = before.get(inode).filter(|_| !is_new);
            known.report(now, self.last, before, &mut points);
        }
        self.last = now;
        points
    }

    /// The series of a namespace that is there for the first time. If it is older than the receiver, it is counted from
    /// now on; otherwise from its beginning.
    fn begin(&self, now: u64, inode: u64, owner: &Owner, counters: Counters, is_reused: bool) -> Namespace {
        let is_old = !is_reused && (self.last == 0 || owner.started < self.started);
        let base = if is_old { counters.map(|counter| counter.unwrap_or(0)) } else { [0; COUNT] };
        Namespace {
            attributes: attributes(inode, owner),
            start: if is_old { now } else { self.last },
            base,
            counters,
            seen: now,
            is_new: true,
        }
    }
}

impl Namespace {
    /// Adds its points. Before the first value of a new series that is not 0, there is a point with 0 at its start, so that
    /// a backend sees the increase.
    fn report(&self, now: u64, last: u64, before: Option<&Counters>, points: &mut Vec<MetricPoint>) {
        for (index, descriptor) in METRICS.iter().enumerate() {
            let Some(counter) = self.counters[index] else { continue };
            let value = counter - self.base[index];
            let point = |time, value, change: Reading| MetricPoint {
                descriptor,
                attributes: Arc::clone(&self.attributes),
                time_unix_nano: time,
                total: Reading { start_unix_nano: self.start, value },
                change,
                temporality: Temporality::Cumulative,
            };
            let none = Reading { start_unix_nano: self.start, value: 0 };
            if before.is_none() && value > 0 {
                points.push(point(self.start, 0, none));
            }
            let known = before.and_then(|before| before[index]).unwrap_or(self.base[index]);
            let since = if before.is_some() { last } else { self.start };
            points.push(point(now, value, Reading { start_unix_nano: since, value: counter - known }));
        }
    }
}

/// The attributes of each point.
pub static ATTRIBUTES: [Attribute; 4] =
    [Attribute::NetworkTransport, Attribute::NetnsInode, Attribute::ProcessPid, Attribute::ProcessCommand];

fn attributes(inode: u64, owner: &Owner) -> Arc<[(Key, OwnedValue)]> {
    let inode = i64::try_from(inode).unwrap_or(i64::MAX);
    let values = [
        OwnedValue::Word("tcp"),
        OwnedValue::Int(inode),
        OwnedValue::Int(owner.pid),
        owner.command.as_str().into(),
    ];
    Arc::from_iter(ATTRIBUTES.map(Key::Own).into_iter().zip(values))
}
