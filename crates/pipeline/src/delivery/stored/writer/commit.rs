//! One commit: what is removed, what is dropped to make room, and what is added.

use super::Writer;
use crate::books::{DropReason, Ledger};
use crate::delivery::OnFull;
use crate::delivery::request::Request;
use crate::delivery::stored::command::Append;
use crate::delivery::stored::state::{Entry, State};
use crate::storage::{Head, Row, StoreError, Write};

/// A commit adds at most so many bytes, or one request. So SQLite's log stays small, and a disk that is nearly full takes a
/// part of what waits.
const COMMIT: u64 = 1 << 20;
/// The clock's offset is written when it has changed by so many ms.
const CLOCK_STEP: i64 = 1000;

/// What one commit does. It is settled in the books after the commit, or undone.
#[derive(Default)]
struct Plan {
    /// Dropped to make room, or because of their age.
    dropped: Vec<(Dropped, DropReason)>,
    /// What becomes of the requests that came in, in their order.
    decided: Vec<Decided>,
    /// Ids of requests in memory that are on disk now.
    caught_up: Vec<i64>,
    /// Size of the bodies that it writes.
    added: u64,
    /// Size of the bodies that are new in the queue, less those that it drops.
    bytes: i64,
    clock_off: i64,
}

/// A waiting request that is dropped.
enum Dropped {
    InMemory(Entry),
    OnDisk { head: Head, cursor_before: i64 },
}

enum Decided {
    Added(Row),
    Refused(DropReason),
}

impl Writer {
    /// Commits everything that there is to do.
    pub(super) fn commit_all(&mut self) -> Result<(), StoreError> {
        while self.has_work() && self.commit()? {}
        Ok(())
    }

    /// Makes one commit. Returns whether it did anything: what waits for room is work that can't be done yet.
    fn commit(&mut self) -> Result<bool, StoreError> {
        let Some(mut store) = self.store.take() else { return Ok(false) };
        let mut plan = Plan { clock_off: self.clock_off, ..Plan::default() };
        let result = store.write(|write| self.carry_out(write, &mut plan));
        self.store = Some(store);
        match result {
            Ok(()) => Ok(self.settle(plan)),
            Err(error) => {
                self.undo(plan);
                Err(error)
            }
        }
    }

    fn has_work(&self) -> bool {
        let state = self.shared.lock();
        let is_too_old = |entry: &Entry| self.is_too_old(entry.row.first_enqueued, &state);
        !self.incoming.is_empty()
            || !self.removals.is_empty()
            || state.first().is_some_and(is_too_old)
            || state.not_on_disk().next().is_some()
    }

    fn carry_out(&mut self, write: &mut Write<'_>, plan: &mut Plan) -> Result<(), StoreError> {
        for id in &self.removals {
            write.remove(*id)?;
        }
        while self.drop_oldest(write, plan, DropReason::Expired)? {}
        let waiting: Vec<Row> = self.shared.lock().not_on_disk().map(|entry| entry.row.clone()).collect();
        for row in waiting {
            if plan.added >= COMMIT || !self.fits(write, plan, row.request.bytes(), false)? {
                break;
            }
            plan.added += row.request.bytes();
            // It may be there: an earlier attempt could not be noted, since a worker had it.
            write.remove(row.id)?;
            write.append(&row)?;
            plan.caught_up.push(row.id);
        }
        let incoming = std::mem::take(&mut self.incoming);
        let decided = self.decide(&incoming, write, plan);
        self.incoming = incoming;
        decided?;
        let off = self.shared.lock().clock.off();
        if (off - self.clock_off).abs() >= CLOCK_STEP {
            write.set_clock_off(off)?;
            plan.clock_off = off;
        }
        Ok(())
    }

    /// Adds what came in, as far as there is room.
    fn decide<'a>(
        &mut self,
        incoming: impl IntoIterator<Item = &'a Append>,
        write: &mut Write<'_>,
        plan: &mut Plan,
    ) -> Result<(), StoreError> {
        for Append { request, ledger, .. } in incoming {
            if plan.added >= COMMIT {
                break; // for the next commit
            }
            if self.make_room(write, plan, request.bytes())? {
                let row = self.next(request.clone(), ledger, &mut self.shared.clone().lock());
                write.append(&row)?;
                plan.added += row.request.bytes();
                plan.bytes += row.request.bytes().cast_signed();
                plan.decided.push(Decided::Added(row));
            } else if self.settings.on_full != OnFull::Block {
                plan.decided.push(Decided::Refused(DropReason::QueueFull));
            } else if self.stopping {
                plan.decided.push(Decided::Refused(DropReason::Shutdown));
            } else {
                self.shared.lock().overflows();
                break; // it waits until there is room
            }
        }
        Ok(())
    }

    /// The row of a new request.
    pub(super) fn next(&mut self, request: Request, ledger: &Ledger, state: &mut State) -> Row {
        let id = self.next_id;
        self.next_id += 1;
        Row { id, pipeline: state.ledgers.remember(ledger), first_enqueued: state.now(), request }
    }

    /// Whether a body of `bytes` bytes fits. Under `drop_oldest` it drops waiting requests until it does.
    fn make_room(&self, write: &mut Write<'_>, plan: &mut Plan, bytes: u64) -> Result<bool, StoreError> {
        loop {
            if self.fits(write, plan, bytes, true)? {
                return Ok(true);
            }
            let may_help = {
                let state = self.shared.lock();
                state.leased_bytes() + bytes < state.capacity
            };
            if self.settings.on_full != OnFull::DropOldest
                || !may_help
                || !self.drop_oldest(write, plan, DropReason::QueueFull)?
            {
                return Ok(false);
            }
        }
    }

    /// `is_new`: its bytes are not in the sum of the queue yet.
    fn fits(&self, write: &Write<'_>, plan: &Plan, bytes: u64, is_new: bool) -> Result<bool, StoreError> {
        let all = self.shared.lock().bytes.saturating_add_signed(plan.bytes);
        let is_within = !is_new || all.saturating_add(bytes) <= self.settings.max_bytes;
        Ok(is_within && write.fits(bytes, self.settings.max_size)?)
    }

    /// Drops the oldest waiting request. If the reason is its age, only if it is too old. Returns whether it did.
    fn drop_oldest(
        &self,
        write: &mut Write<'_>,
        plan: &mut Plan,
        reason: DropReason,
    ) -> Result<bool, StoreError> {
        let is_aging = reason == DropReason::Expired;
        let mut state = self.shared.lock();
        if let Some(first) = state.first() {
            if is_aging && !self.is_too_old(first.row.first_enqueued, &state) {
                return Ok(false);
            }
            let Some(entry) = state.pop() else { return Ok(false) };
            drop(state);
            write.remove(entry.row.id)?;
            plan.bytes -= entry.row.request.bytes().cast_signed();
            plan.dropped.push((Dropped::InMemory(entry), reason));
            return Ok(true);
        }
        let cursor_before = state.cursor;
        drop(state);
        let Some(head) = write.next(cursor_before)? else { return Ok(false) };
        // Even a request of this commit may have to make room for those behind it.
        let is_it = |decided: &&mut Decided| matches!(decided, Decided::Added(row) if row.id == head.id);
        if let Some(added) = plan.decided.iter_mut().find(is_it) {
            *added = Decided::Refused(reason);
            plan.bytes -= head.bytes.cast_signed();
            write.remove(head.id)?;
            return Ok(true);
        }
        let mut state = self.shared.lock();
        if is_aging && !self.is_too_old(head.first_enqueued, &state) {
            return Ok(false);
        }
        state.cursor = head.id;
        drop(state);
        write.remove(head.id)?;
        plan.bytes -= head.bytes.cast_signed();
        plan.dropped.push((Dropped::OnDisk { head, cursor_before }, reason));
        Ok(true)
    }

    fn is_too_old(&self, first_enqueued: i64, state: &State) -> bool {
        state.now() - first_enqueued >= self.settings.retention
    }

    /// Puts a commit into the books. Returns whether it did anything.
    fn settle(&mut self, plan: Plan) -> bool {
        let is_empty = self.removals.is_empty()
            && plan.dropped.is_empty()
            && plan.decided.is_empty()
            && plan.caught_up.is_empty();
        self.removals.clear();
        self.clock_off = plan.clock_off;
        let mut state = self.shared.lock();
        for (dropped, reason) in plan.dropped {
            if reason == DropReason::QueueFull {
                state.overflows();
            }
            let (ledger, items, bytes) = match dropped {
                Dropped::InMemory(Entry { row, ledger, .. }) => {
                    (ledger, row.request.items, row.request.bytes())
                }
                Dropped::OnDisk { head, .. } => {
                    state.behind -= 1;
                    (state.ledgers.of(&head.pipeline, head.id), head.items, head.bytes)
                }
            };
            state.leaves(bytes);
            ledger.drop_queued(items, reason);
            match reason {
                DropReason::Expired => self.shared.log.expired(items),
                _ => self.shared.log.queue_full(items),
            }
        }
        if !plan.caught_up.is_empty() {
            for entry in state.waiting_mut() {
                entry.on_disk |= plan.caught_up.contains(&entry.row.id);
            }
        }
        for decided in plan.decided {
            let Some(Append { request, ledger, .. }) = self.incoming.pop_front() else { break };
            state.uncommitted -= 1;
            match decided {
                Decided::Added(row) => {
                    ledger.enqueue(request.items);
                    state.bytes += request.bytes();
                    if state.has_room(request.bytes()) {
                        state.cursor = row.id;
                        state.insert(Entry { row, ledger, on_disk: true });
                    } else {
                        state.behind += 1;
                    }
                }
                Decided::Refused(reason) => {
                    ledger.drop_items(request.items, reason);
                    if reason == DropReason::QueueFull {
                        state.overflows();
                        self.shared.log.queue_full(request.items);
                    }
                }
            }
        }
        if state.is_drained() {
            self.shared.log.queue_empty();
        }
        !is_empty
    }

    /// Takes a commit back that the disk did not take.
    fn undo(&mut self, plan: Plan) {
        let mut state = self.shared.lock();
        for (dropped, _) in plan.dropped.into_iter().rev() {
            match dropped {
                Dropped::InMemory(entry) => state.insert(entry),
                Dropped::OnDisk { cursor_before, .. } => state.cursor = cursor_before,
            }
        }
    }
}
