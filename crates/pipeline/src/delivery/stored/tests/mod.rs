//! The queue on disk: order, limits, the books, and what a later queue finds. The disk is a real one.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

mod damage;

use super::StoredQueue;
use crate::books::{Books, Counts, DropReason, Ledger, LedgerKey, Signal};
use crate::config::Size;
use crate::delivery::fake::request;
use crate::delivery::log::DeliveryLog;
use crate::delivery::{OnFull, QueueConfig};
use crate::storage::{Config, Storages};

const DEADLINE: Duration = Duration::from_secs(20);

/// A directory with a store, over several lives of a process.
struct Disk {
    root: TempDir,
    config: Config,
    queue: QueueConfig,
}

/// One life.
struct Life {
    queue: StoredQueue,
    books: Books,
    ledger: Ledger,
}

impl Disk {
    fn new() -> Disk {
        let root = tempfile::tempdir().unwrap();
        let config = Config { directory: root.path().to_owned(), ..Config::default() };
        Disk { root, config, queue: QueueConfig { storage: Some("x".to_owned()), ..QueueConfig::default() } }
    }

    fn file(&self) -> PathBuf {
        self.root.path().join("sink.logs.sqlite")
    }

    fn open(&self) -> Life {
        let books = Books::default();
        let storage = Storages::default().open(&self.config).unwrap();
        let log = Arc::new(DeliveryLog::new("sink".to_owned(), Signal::Logs));
        let queue = StoredQueue::open(("sink", Signal::Logs), &self.queue, &storage, &books, log).unwrap();
        let ledger = books.open(key("logs"));
        Life { queue, books, ledger }
    }
}

fn key(pipeline: &str) -> LedgerKey {
    LedgerKey { pipeline: pipeline.to_owned(), signal: Signal::Logs, exporter: Some("sink".to_owned()) }
}

impl Life {
    /// Pushes a request of `items` items of `bytes` bytes each.
    async fn push(&self, items: u64, bytes: usize) {
        self.ledger.accept(items);
        self.queue.push(request(items, bytes), self.ledger.clone()).await;
    }

    fn counts(&self) -> Counts {
        let key = key("logs");
        let ledgers = self.books.snapshot().ledgers;
        ledgers.into_iter().find(|(known, _)| *known == key).unwrap().1
    }

    /// Waits until nothing is on its way to the disk.
    async fn settled(&self) {
        self.until(|counts| counts.in_flight() == 0).await;
    }

    async fn until(&self, condition: impl Fn(&Counts) -> bool) {
        let wait = async {
            while !condition(&self.counts()) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("{:?}", self.counts()));
    }

    /// Leases the oldest request and acknowledges it as delivered. Returns its number of items.
    async fn take(&self) -> Option<u64> {
        let lease = timeout(DEADLINE, self.queue.lease(|| true)).await.unwrap()?;
        let items = lease.request.items;
        assert!(lease.request.body.iter().all(|byte| *byte == items as u8), "another body");
        lease.ledger.deliver(items, 0);
        lease.ack();
        Some(items)
    }

    async fn end(self) -> Counts {
        self.queue.finish(Instant::now() + DEADLINE).await;
        let counts = self.counts();
        assert_eq!((counts.queued, counts.in_flight()), (0, 0), "{counts:?}");
        counts
    }
}

fn dropped(counts: &Counts, reason: DropReason) -> u64 {
    counts.dropped.get(&reason).copied().unwrap_or(0)
}

#[tokio::test]
async fn what_one_life_leaves_the_next_one_sends_first_and_in_order() {
    let disk = Disk::new();
    let life = disk.open();
    for items in 1..=5 {
        life.push(items, 1).await;
    }
    assert_eq!((life.take().await, life.take().await), (Some(1), Some(2)));
    let counts = life.end().await;
    assert_eq!((counts.accepted, counts.delivered, counts.stored), (15, 3, 12));

    let life = disk.open();
    life.push(9, 1).await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(life.take().await.unwrap());
    }
    assert_eq!(order, [3, 4, 5, 9]);
    let counts = life.end().await;
    assert_eq!((counts.restored, counts.accepted, counts.delivered, counts.stored), (12, 9, 21, 0));
    assert_eq!(disk.open().end().await, Counts::default());
}

/// The disk is copied while the queue works, as a killed process leaves it. Only what is committed counts as queued.
#[tokio::test]
async fn what_counts_as_queued_survives_a_killed_process() {
    let disk = Disk::new();
    let life = disk.open();
    for items in 1..=20 {
        life.push(items, 100).await;
    }
    life.settled().await;
    let lease = life.queue.lease(|| false).await.unwrap();
    let copy = Disk::new();
    for end in ["", "-wal"] {
        let name = |disk: &Disk| format!("{}{end}", disk.file().display());
        fs::copy(name(&disk), name(&copy)).unwrap();
    }
    drop(lease);
    assert_eq!(life.counts().queued, 210);
    let after = copy.open();
    assert_eq!(after.counts().restored, 210, "also the one that was in flight");
    assert_eq!(after.take().await, Some(1));
    assert_eq!(after.end().await.stored, 209);
    life.end().await;
}

#[tokio::test]
async fn more_than_fits_into_memory_keeps_its_order() {
    let disk = Disk::new();
    let life = disk.open();
    // 60 MiB, of which memory holds 8.
    for items in 1..=120 {
        life.push(items, (512 << 10) / items as usize).await;
    }
    life.settled().await;
    for items in 1..=60 {
        assert_eq!(life.take().await, Some(items));
    }
    assert_eq!(life.end().await.stored, (61..=120).sum::<u64>());
    let life = disk.open();
    for items in 61..=120 {
        assert_eq!(life.take().await, Some(items));
    }
    assert_eq!(life.end().await.stored, 0);
}

#[tokio::test]
async fn a_lease_that_is_not_acknowledged_waits_again_at_its_old_place() {
    let disk = Disk::new();
    let life = disk.open();
    for items in 1..=3 {
        life.push(items, 1).await;
    }
    life.settled().await;
    let (first, second) =
        (life.queue.lease(|| false).await.unwrap(), life.queue.lease(|| false).await.unwrap());
    assert_eq!((life.counts().queued, life.counts().in_flight()), (3, 3));
    drop(second);
    drop(first);
    assert_eq!((life.take().await, life.take().await, life.take().await), (Some(1), Some(2), Some(3)));
    assert_eq!(life.end().await.delivered, 6);
}

fn small(on_full: OnFull) -> Disk {
    let mut disk = Disk::new();
    disk.config.max_size = Size(ByteSize::mib(1));
    disk.queue.on_full = Some(on_full);
    disk
}

/// Size of the database, without its log.
fn size(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

#[tokio::test]
async fn max_size_bounds_the_file() {
    for on_full in [OnFull::DropNewest, OnFull::DropOldest] {
        let disk = small(on_full);
        let life = disk.open();
        for items in 1..=100 {
            life.push(items, 50_000 / items as usize).await;
            assert!(size(&disk.file()) <= 1 << 20);
        }
        life.settled().await;
        let counts = life.counts();
        assert_eq!(dropped(&counts, DropReason::QueueFull) + counts.queued, 5050);
        let first = life.take().await.unwrap();
        match on_full {
            OnFull::DropOldest => assert!((75..=85).contains(&first), "{first}"),
            _ => assert_eq!(first, 1),
        }
        life.end().await;
        assert!(size(&disk.file()) <= 1 << 20);
    }
}

#[tokio::test]
async fn queue_size_bounds_the_bodies() {
    let mut disk = Disk::new();
    disk.queue.queue_size = Some(Size(ByteSize::b(100)));
    let life = disk.open();
    for _ in 0..7 {
        life.push(30, 1).await;
    }
    life.settled().await;
    assert_eq!((life.counts().queued, dropped(&life.counts(), DropReason::QueueFull)), (90, 120));
    assert_eq!((life.queue.counts().size, life.queue.counts().capacity), (90, 100));
    life.end().await;
}

#[tokio::test]
async fn block_waits_for_room_and_a_stop_ends_the_wait() {
    let disk = small(OnFull::Block);
    let life = disk.open();
    // 30 MiB: the file has room for one, and 8 more may be uncommitted.
    let pushes = async {
        for items in 1..=60 {
            life.push(items, (512 << 10) / items as usize).await;
        }
    };
    let mut pushes = Box::pin(pushes);
    assert!(timeout(Duration::from_millis(300), &mut pushes).await.is_err());
    let room = async {
        for items in 1..=10 {
            assert_eq!(life.take().await, Some(items));
        }
        assert_eq!(life.counts().dropped_total(), 0);
        life.queue.stop();
    };
    tokio::join!(pushes, room);
    let counts = life.end().await;
    assert_eq!(counts.delivered, 55);
    assert_eq!(counts.stored + dropped(&counts, DropReason::Shutdown), 1830 - 55, "{counts:?}");
    assert!(counts.stored > 0);
}

#[tokio::test]
async fn what_is_too_old_is_dropped_also_in_a_queue_at_rest() {
    let mut disk = Disk::new();
    disk.config.retention = crate::config::Interval::from_millis(300);
    let life = disk.open();
    life.push(3, 1).await;
    life.until(|counts| dropped(counts, DropReason::Expired) == 3).await;
    life.push(4, 1).await;
    assert_eq!(life.take().await, Some(4));
    life.end().await;
}

#[tokio::test]
async fn the_file_shrinks_after_a_flood() {
    let disk = Disk::new();
    let life = disk.open();
    for items in 1..=100 {
        life.push(items, (256 << 10) / items as usize).await;
    }
    life.settled().await;
    for _ in 0..100 {
        life.take().await.unwrap();
    }
    let shrunk = async {
        while size(&disk.file()) > 5 << 20 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, shrunk).await.unwrap_or_else(|_| panic!("{} bytes", size(&disk.file())));
    life.end().await;
}

/// A reload: the successor is started while the old queue still has the store.
#[tokio::test]
async fn a_successor_goes_on_where_the_old_queue_ends() {
    let disk = Disk::new();
    let storages = Storages::default();
    let storage = storages.open(&disk.config).unwrap();
    let books = Books::default();
    let open = || {
        let log = Arc::new(DeliveryLog::new("sink".to_owned(), Signal::Logs));
        let queue = StoredQueue::open(("sink", Signal::Logs), &disk.queue, &storage, &books, log).unwrap();
        Life { queue, books: books.clone(), ledger: books.open(key("logs")) }
    };
    let old = open();
    for items in 1..=3 {
        old.push(items, 1).await;
    }
    old.settled().await;
    let new = open();
    new.push(4, 1).await;
    assert!(old.queue.lease(|| true).await.is_none(), "a successor waits");
    old.queue.finish(Instant::now() + DEADLINE).await;
    for items in 1..=4 {
        assert_eq!(new.take().await, Some(items));
    }
    let counts = new.end().await;
    assert_eq!((counts.accepted, counts.stored, counts.restored, counts.delivered), (10, 6, 6, 10));
}
