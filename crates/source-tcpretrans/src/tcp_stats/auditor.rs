//! Audits the sessions of `tcpretrans`: for each namespace, by how much RetransSegs and what was told have drifted apart.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::namespaces::{Owner, retrans_segs};
use crate::audit::{Audit, Offset, Readings, Told};

/// So long after RetransSegs was read, all that it has was told: the program runs when the segment has been handed to the
/// network device.
const TOLD_WITHIN: Duration = Duration::from_millis(2);
/// Readings of a namespace that sends again all the time. Each one makes the bounds narrower.
const READINGS: usize = 10;
/// How often a difference is looked at again before it is reported, and after what time.
const SECOND_LOOKS: usize = 5;
const SECOND_LOOK: Duration = Duration::from_millis(20);

/// What an audit found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Audited {
    /// Namespaces that were compared.
    pub(super) namespaces: u64,
    /// Segments by which they differ: those that were not told, and those that were told and are not in RetransSegs.
    pub(super) difference: u64,
}

/// Remembers each namespace from one audit to the next.
pub(super) struct Auditor {
    audit: Audit,
    known: BTreeMap<u32, Known>,
}

/// A namespace in sight that a session covers.
#[derive(Clone)]
struct Candidate {
    netns: u32,
    owner: Owner,
    session: Arc<Told>,
    /// What it means that the session has no entry for the namespace: `None` where there may have been no room.
    without_entry: Option<u64>,
}

struct Known {
    /// Who read it, and which session told. Where one of them is another, everything begins anew.
    owner: Owner,
    session: Weak<Told>,
    retrans_segs: u64,
    base: Offset,
    /// In segments; above 0 they were not told.
    difference: i64,
    /// The difference at the audit before this one.
    earlier: i64,
    /// The difference that was logged last.
    logged: i64,
}

impl Auditor {
    pub(super) fn new(audit: Audit) -> Auditor {
        Auditor { audit, known: BTreeMap::new() }
    }

    /// Compares the namespaces in sight, each of which is read by its owner.
    pub(super) fn audit(&mut self, in_sight: &[(u64, Owner)]) -> Audited {
        let sessions = self.audit.sessions();
        let sessions: Vec<_> =
            sessions.iter().map(|session| (session, session.namespaces().collect::<Vec<u32>>())).collect();
        let covered = in_sight.iter().filter_map(|(inode, owner)| {
            let netns = u32::try_from(*inode).ok()?;
            let (session, entries) = sessions.iter().find(|(session, _)| session.covers(netns))?;
            Some(Candidate {
                netns,
                owner: owner.clone(),
                session: Arc::clone(session),
                without_entry: (entries.len() < session.room()).then_some(0),
            })
        });
        let covered: Vec<Candidate> = covered.collect();
        for known in self.known.values_mut() {
            known.earlier = known.difference;
        }
        let measured = measure(&covered);
        self.known.retain(|netns, _| measured.contains_key(netns));
        self.learn(&covered, &measured);
        for _ in 0..SECOND_LOOKS {
            let differs = |candidate: &&Candidate| {
                self.known.get(&candidate.netns).is_some_and(|known| known.difference != 0)
            };
            let differ: Vec<Candidate> = covered.iter().filter(differs).cloned().collect();
            if differ.is_empty() {
                break;
            }
            thread::sleep(SECOND_LOOK);
            let measured = measure(&differ);
            self.learn(&differ, &measured);
        }
        for (netns, known) in &mut self.known {
            known.log(*netns);
        }
        sessions.iter().for_each(|(session, entries)| make_room(session, entries, in_sight));
        let differences = self.known.values().map(|known| known.difference.unsigned_abs());
        Audited { namespaces: self.known.len() as u64, difference: differences.sum() }
    }

    fn learn(&mut self, candidates: &[Candidate], measured: &BTreeMap<u32, (u64, Offset)>) {
        for Candidate { netns, owner, session, .. } in candidates {
            let Some((retrans_segs, offset)) = measured.get(netns) else { continue };
            let is_same = |known: &&mut Known| {
                known.owner == *owner
                    && known.session.ptr_eq(&Arc::downgrade(session))
                    && known.retrans_segs <= *retrans_segs
            };
            match self.known.get_mut(netns).filter(is_same) {
                Some(known) => known.compare(*retrans_segs, *offset),
                None => {
                    let known = Known::new(owner.clone(), session, *retrans_segs, *offset);
                    self.known.insert(*netns, known);
                }
            }
        }
    }
}

impl Known {
    fn new(owner: Owner, session: &Arc<Told>, retrans_segs: u64, base: Offset) -> Known {
        let session = Arc::downgrade(session);
        Known { owner, session, retrans_segs, base, difference: 0, earlier: 0, logged: 0 }
    }

    fn compare(&mut self, retrans_segs: u64, offset: Offset) {
        self.retrans_segs = retrans_segs;
        self.difference = offset.above(self.base);
        if let Some(both) = self.base.and(offset) {
            self.base = both;
        }
    }

    /// Logs a difference that stays once, and its end.
    fn log(&mut self, netns: u32) {
        if self.difference != self.earlier || self.difference == self.logged {
            return;
        }
        self.logged = self.difference;
        let Known { difference, owner, .. } = self;
        let (pid, command) = (owner.pid, owner.command.as_str());
        match *difference {
            0 => tracing::info!(netns, pid, command, "audit: what was told equals RetransSegs again"),
            1.. => tracing::warn!(
                netns,
                pid,
                command,
                segments = difference,
                "audit: the kernel has sent segments again that no program told of"
            ),
            ..0 => tracing::warn!(
                netns,
                pid,
                command,
                segments = difference.unsigned_abs(),
                "audit: more segments were told than the kernel has sent again"
            ),
        }
    }
}

/// RetransSegs of each namespace, and by how much it is ahead of what was told. Namespaces that can't be read are left out.
fn measure(candidates: &[Candidate]) -> BTreeMap<u32, (u64, Offset)> {
    let mut measured: BTreeMap<u32, (u64, Offset)> = BTreeMap::new();
    for _ in 0..READINGS {
        let open = candidates
            .iter()
            .filter(|candidate| measured.get(&candidate.netns).is_none_or(|(_, offset)| !offset.is_exact()));
        let first: Vec<_> = open
            .filter_map(|candidate| {
                let told_before = told(candidate)?;
                let retrans_segs = retrans_segs(candidate.netns.into(), candidate.owner.pid)?;
                Some((candidate, told_before, retrans_segs))
            })
            .collect();
        if first.is_empty() {
            break;
        }
        thread::sleep(TOLD_WITHIN);
        for (candidate, told_before, retrans_segs) in first {
            let Some(told_after) = told(candidate) else { continue };
            let offset = Offset::of(Readings { told_before, retrans_segs, told_after });
            let before = measured.get(&candidate.netns);
            // Readings that contradict each other: something was missed between them, and the last one has it.
            let offset = before.and_then(|(_, before)| before.and(offset)).unwrap_or(offset);
            measured.insert(candidate.netns, (retrans_segs, offset));
        }
    }
    measured
}

fn told(candidate: &Candidate) -> Option<u64> {
    candidate
        .session
        .segments(candidate.netns)
        .inspect_err(|error| tracing::debug!(%error, netns = candidate.netns, "audit: reading what was told"))
        .ok()?
        .or(candidate.without_entry)
}

/// Forgets namespaces that have ended where the kernel side may soon have no room for new ones.
fn make_room(session: &Told, entries: &[u32], in_sight: &[(u64, Owner)]) {
    if entries.len() * 2 < session.room() {
        return;
    }
    for netns in entries {
        if in_sight.iter().all(|(inode, _)| *inode != u64::from(*netns))
            && let Err(error) = session.forget(*netns)
        {
            tracing::debug!(%error, netns, "audit: forgetting a namespace");
        }
    }
}

#[cfg(test)]
mod tests {
    //! From offsets to differences. The audit of a real kernel is in tests/host.

    #![allow(clippy::unwrap_used)]

    use super::*;

    fn exact(ahead: u64) -> Offset {
        Offset::of(Readings { told_before: 100, retrans_segs: 100 + ahead, told_after: 100 })
    }

    fn wide(lowest: u64, highest: u64) -> Offset {
        Offset::of(Readings {
            told_before: 100,
            retrans_segs: 100 + highest,
            told_after: 100 + highest - lowest,
        })
    }

    fn known(base: Offset) -> Known {
        let owner = Owner { pid: 1, command: "init".to_owned(), started: Duration::ZERO };
        Known { owner, session: Weak::new(), retrans_segs: 0, base, difference: 0, earlier: 0, logged: 0 }
    }

    #[test]
    fn a_storm_at_the_first_reading_hides_no_difference_for_long() {
        let mut known = known(wide(10, 60));
        known.compare(1000, wide(0, 40));
        assert_eq!((known.difference, known.base), (0, wide(10, 40)));
        known.compare(2000, exact(30));
        assert_eq!((known.difference, known.base), (0, exact(30)));
        known.compare(3000, exact(33));
        assert_eq!((known.difference, known.base), (3, exact(30)));
        known.compare(4000, exact(30));
        assert_eq!(known.difference, 0);
    }

    #[test]
    fn a_difference_is_logged_when_it_stays() {
        let mut known = known(exact(0));
        let mut logged = Vec::new();
        for ahead in [0, 4, 4, 4, 0, 0] {
            known.earlier = known.difference;
            known.compare(0, exact(ahead));
            let before = known.logged;
            known.log(7);
            logged.push((before != known.logged).then_some(known.logged));
        }
        assert_eq!(logged, [None, None, Some(4), None, None, Some(0)]);
    }
}
