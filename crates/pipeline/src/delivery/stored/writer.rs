//! The thread that works with the disk: commits what comes in and what is done, reads what comes next, keeps the limits.

mod commit;
mod damage;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tracing::warn;

use super::command::{Append, Command};
use super::shared::Shared;
use super::state::Entry;
use crate::books::DropReason;
use crate::delivery::OnFull;
use crate::storage::{AgeClock, Clocks, OpenError, Opened, Place, Store, StoreError, Taken, Wanting, open};

/// So many commands become one commit at most.
const AT_ONCE: usize = 4096;
/// How long it waits before it tries again what the disk did not take.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it waits for its predecessor before it looks for commands again.
const PREDECESSOR: Duration = Duration::from_millis(20);
/// How long nothing must happen before the file shrinks.
const IDLE: Duration = Duration::from_secs(1);
/// The file shrinks if it has so many free bytes. It shrinks by so many at once.
const SHRINKS_BY: u64 = 4 << 20;
/// And then again after this time.
const SHRINKS_AGAIN: Duration = Duration::from_millis(20);
/// It looks for requests that are too old at least this often. Suspended time does not count in a wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The limits.
pub(super) struct Settings {
    pub(super) on_full: OnFull,
    /// Of the file, in bytes.
    pub(super) max_size: u64,
    /// Of all bodies, in bytes.
    pub(super) max_bytes: u64,
    /// In ms.
    pub(super) retention: i64,
}

/// The thread's own part.
pub(super) struct Writer {
    place: Place,
    settings: Settings,
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    /// `None` while a predecessor uses it, or after it was damaged and could not be made anew.
    store: Option<Store>,
    /// The right to use the file. The store must be closed before it ends, so this comes after it.
    taken: Option<Taken>,
    /// Tells a predecessor that this one waits for the file.
    wanting: Option<Wanting>,
    /// Of the next row.
    next_id: i64,
    /// What came in and has no place yet.
    incoming: VecDeque<Append>,
    /// The rows that are to be removed.
    removals: Vec<i64>,
    /// How far the store's clock is behind the wall clock, as the store has it.
    clock_off: i64,
    /// Nothing came in for a while.
    is_idle: bool,
    /// The disk did not take the last commit.
    is_failing: bool,
    stopping: bool,
    finishing: bool,
}

impl Writer {
    /// A writer for the store at `place`. Opens it, unless an exporter of this process still uses it.
    pub(super) fn new(
        place: Place,
        settings: Settings,
        shared: Arc<Shared>,
        commands: Receiver<Command>,
    ) -> Result<Self, OpenError> {
        let mut writer = Writer {
            place,
            settings,
            shared,
            commands,
            store: None,
            taken: None,
            wanting: None,
            next_id: 1,
            incoming: VecDeque::new(),
            removals: Vec::new(),
            clock_off: 0,
            is_idle: false,
            is_failing: false,
            stopping: false,
            finishing: false,
        };
        writer.taken = writer.place.take(Duration::ZERO);
        if writer.taken.is_some() {
            writer.open()?;
        } else {
            writer.wanting = Some(writer.place.want());
        }
        Ok(writer)
    }

    /// Works until the queue is finished.
    pub(super) fn run(mut self) {
        while !self.finishing {
            self.receive();
            if self.is_open() {
                self.cycle();
            }
        }
        self.finish();
    }

    /// Whether the store is open. Opens it if its predecessor is done.
    fn is_open(&mut self) -> bool {
        if self.store.is_some() {
            return true;
        }
        if self.taken.is_none() {
            self.taken = self.place.take(PREDECESSOR);
            if self.taken.is_none() {
                return false;
            }
            self.wanting = None;
        }
        match self.open() {
            Ok(()) => true,
            Err(error) => {
                self.failed(&StoreError::Failed(error.to_string()));
                false
            }
        }
    }

    /// Opens the store, and counts what is in it.
    fn open(&mut self) -> Result<(), OpenError> {
        let Opened { store, totals, damage } = open(&self.place.file, &self.place.config)?;
        let failed =
            |error: StoreError| OpenError::Store { path: self.place.file.clone(), why: error.to_string() };
        self.clock_off = store.clock_off().map_err(failed)?;
        let last = store.last_id().map_err(failed)?;
        self.next_id = self.next_id.max(last + 1);
        let mut state = self.shared.lock();
        state.clock = AgeClock::new(Clocks::default(), self.clock_off);
        state.cursor = 0;
        state.ledgers.last_restored = last;
        state.place = Some(self.place.clone());
        let (mut requests, mut items) = (0, 0);
        for (pipeline, total) in totals.iter().filter(|(_, total)| total.requests > 0) {
            state.ledgers.of_restored(pipeline).restore(total.items.cast_unsigned());
            state.behind += total.requests.cast_unsigned();
            state.bytes += total.bytes.cast_unsigned();
            (requests, items) = (requests + total.requests, items + total.items);
        }
        if let Some(damage) = damage {
            for (pipeline, items) in damage.lost(&totals) {
                let ledger = state.ledgers.of_restored(&pipeline);
                ledger.restore(items);
                ledger.drop_queued(items, DropReason::Storage);
            }
            self.shared.log.damaged(&self.place.file, &damage, &totals);
        }
        drop(state);
        self.shared.log.restored(requests, items);
        self.store = Some(store);
        self.shared.changed.notify_waiters();
        Ok(())
    }

    /// Takes the commands that are there. Waits for one, but not longer than the next thing to do.
    fn receive(&mut self) {
        let first = match self.wait() {
            None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => self.commands.recv_timeout(wait),
        };
        match first {
            Ok(first) => self.take(first),
            Err(RecvTimeoutError::Timeout) => self.shrink(),
            // The queue is gone without a shutdown.
            Err(RecvTimeoutError::Disconnected) => self.finishing = true,
        }
        for _ in 0..AT_ONCE {
            let Ok(next) = self.commands.try_recv() else { break };
            self.take(next);
        }
    }

    /// How long nothing has to be done. `None` means until the next command.
    fn wait(&self) -> Option<Duration> {
        if self.store.is_none() {
            return Some(if self.is_failing { AGAIN } else { Duration::ZERO });
        }
        let state = self.shared.lock();
        let oldest = state.first().map(|entry| entry.row.first_enqueued);
        let expires = oldest.map(|since| {
            let left = u64::try_from(since + self.settings.retention - state.now()).unwrap_or(0);
            Duration::from_millis(left + 1).min(LONGEST_WAIT)
        });
        drop(state);
        let again = self.is_failing.then_some(AGAIN);
        let shrinks = self.shrinkable().then_some(if self.is_idle { SHRINKS_AGAIN } else { IDLE });
        [expires, again, shrinks].into_iter().flatten().min()
    }

    fn take(&mut self, command: Command) {
        self.is_idle = false;
        match command {
            Command::Append(append) => self.incoming.push_back(append),
            Command::Remove(id) => self.removals.push(id),
            Command::Fetch => {}
            Command::Stop => self.stopping = true,
            Command::Finish => self.finishing = true,
        }
    }

    /// Commits what there is to commit, and reads what is asked for.
    fn cycle(&mut self) {
        let mut done = self.commit_all();
        if let Err(StoreError::Damaged(why)) = done {
            done = self.replace(why).and_then(|()| self.commit_all());
        }
        match done {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    self.shared.log.storage_works();
                }
            }
            Err(error) => self.failed(&error),
        }
        match self.fetch() {
            Ok(()) => {}
            Err(StoreError::Damaged(why)) => {
                if let Err(error) = self.replace(why) {
                    self.failed(&error);
                }
            }
            Err(error) => self.failed(&error),
        }
        self.shared.lock().fetching = false;
        self.shared.changed.notify_waiters();
    }

    /// Reads the next rows into memory, if there is room for more.
    fn fetch(&mut self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        loop {
            let cursor = {
                let state = self.shared.lock();
                if state.behind == 0 || !state.has_room_to_fetch() {
                    return Ok(());
                }
                state.cursor
            };
            let Some(id) = store.next_id(cursor)? else {
                return Err(StoreError::Damaged("rows are missing".to_owned()));
            };
            let row = store.row(id)?;
            let mut state = self.shared.lock();
            state.cursor = id;
            state.behind -= 1;
            if let Some(row) = row {
                let ledger = state.ledgers.of(&row.pipeline, id);
                state.insert(Entry { row, ledger, on_disk: true });
                continue;
            }
            drop(state);
            self.removals.push(id);
            if let Some(head) = store.head(id)? {
                let mut state = self.shared.lock();
                let ledger = state.ledgers.of(&head.pipeline, id);
                state.bytes -= head.bytes;
                ledger.drop_queued(head.items, DropReason::Storage);
                self.shared.log.damaged_request(&self.place.file, head.items);
            }
        }
    }

    /// Nothing came in for a while, so there is time to shrink the file.
    fn shrink(&mut self) {
        self.is_idle = true;
        if self.shrinkable()
            && let Some(store) = &self.store
            && let Err(error) = store.shrink(SHRINKS_BY)
        {
            warn!(file = %self.place.file.display(), %error, "can't shrink the file");
        }
    }

    /// Whether the file has much more room than it needs.
    fn shrinkable(&self) -> bool {
        let free = self.store.as_ref().and_then(|store| store.free_bytes().ok()).unwrap_or(0);
        let needed = self.shared.lock().bytes;
        free >= SHRINKS_BY && free > needed
    }

    /// The disk did not take a commit. New requests stay in memory as long as there is room. The disk is tried again.
    fn failed(&mut self, error: &StoreError) {
        self.is_failing = true;
        self.shared.log.storage_failed(&self.place.file, error);
        let waits = self.settings.on_full == OnFull::Block && !self.stopping;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        // Before the store was opened, the place of new requests in the order is not known.
        while self.store.is_some()
            && let Some(append) = self.incoming.pop_front()
        {
            if state.has_room(append.request.bytes()) {
                let ledger = append.ledger.clone();
                let row = self.next(append.request, &ledger, &mut state);
                ledger.enqueue(row.request.items);
                state.bytes += row.request.bytes();
                state.cursor = row.id;
                state.insert(Entry { row, ledger, on_disk: false });
            } else if waits {
                self.incoming.push_front(append);
                break;
            } else {
                append.ledger.drop_items(append.request.items, DropReason::Storage);
            }
            state.uncommitted -= 1;
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Commits for the last time, drops what has no place, and counts the rest as left on disk.
    fn finish(&mut self) {
        let is_open = self.is_open();
        let reason = match self.taken {
            Some(_) if !is_open || self.is_failing => DropReason::Storage,
            _ => DropReason::Shutdown,
        };
        let mut state = self.shared.lock();
        for append in self.incoming.drain(..) {
            append.ledger.drop_items(append.request.items, reason);
            state.uncommitted -= 1;
        }
        let mut items = 0;
        while let Some(entry) = state.pop() {
            if !entry.on_disk {
                entry.ledger.drop_queued(entry.row.request.items, DropReason::Storage);
            }
        }
        for (_, _, ledger) in state.ledgers.all() {
            items += ledger.counts().queued;
            ledger.leave_stored();
        }
        state.place = None;
        drop(state);
        self.shared.changed.notify_waiters();
        self.shared.log.left_stored(items);
        if let Some(store) = self.store.take()
            && let Err(error) = store.checkpoint()
        {
            warn!(file = %self.place.file.display(), %error, "the log can't be written back; the next start does it");
        }
        self.taken = None;
    }
}
