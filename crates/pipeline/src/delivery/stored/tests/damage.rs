//! Files that a bad disk has changed, before the start and while the queue works.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::{Disk, Life, dropped, size};
use crate::books::{Counts, DropReason};

/// Size of a page.
const PAGE: u64 = 16 << 10;

/// Changes a file at random places, as a bad disk does.
fn flip(file: &Path, random: &mut fastrand::Rng) {
    let mut bytes = fs::read(file).unwrap();
    for _ in 0..random.usize(1..30) {
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
    }
    fs::write(file, bytes).unwrap();
}

/// Takes everything, and checks that what was restored is either delivered or counted as lost.
async fn drained(life: Life) -> Counts {
    while life.counts().queued + u64::try_from(life.counts().in_flight()).unwrap() > 0 {
        let Ok(lease) = timeout(Duration::from_millis(20), life.queue.lease(|| false)).await else {
            continue;
        };
        let lease = lease.unwrap();
        let items = lease.request.items;
        assert!(lease.request.body.iter().all(|byte| *byte == items as u8), "another body");
        lease.ledger.deliver(items, 0);
        lease.ack();
    }
    let counts = life.end().await;
    assert_eq!(counts.stored, 0);
    assert_eq!(counts.accepted + counts.restored, counts.delivered + dropped(&counts, DropReason::Storage));
    counts
}

#[tokio::test]
async fn a_damaged_store_never_stops_the_queue_and_the_books_say_what_is_lost() {
    let whole = Disk::new();
    let life = whole.open();
    for items in 1..=120 {
        life.push(items, 5000 / items as usize * (1 + items as usize % 7)).await;
    }
    let stored = life.end().await.stored;
    let (mut delivered, mut set_aside) = (0, 0);
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = Disk::new();
        fs::copy(whole.file(), disk.file()).unwrap();
        if seed % 3 == 0 {
            let cut = random.u64(..size(&disk.file()));
            fs::OpenOptions::new().write(true).open(disk.file()).unwrap().set_len(cut).unwrap();
        } else {
            flip(&disk.file(), &mut random);
        }
        let life = disk.open();
        life.push(200, 1).await;
        let counts = drained(life).await;
        assert!(counts.restored <= stored, "seed {seed}: {counts:?}");
        delivered += counts.delivered - 200;
        let names = fs::read_dir(disk.root.path()).unwrap().map(|entry| entry.unwrap().file_name());
        set_aside += names.filter(|name| name.to_string_lossy().ends_with('Z')).count();
    }
    assert!(set_aside > 10, "{set_aside} of 60 were set aside");
    assert!(delivered > 60 * stored / 3, "{delivered} of {} items were saved", 60 * stored);
}

#[tokio::test]
async fn damage_that_shows_while_the_queue_works_is_counted() {
    let mut found = 0;
    for seed in 0..10 {
        let disk = Disk::new();
        let life = disk.open();
        // More than memory and SQLite's cache hold.
        for items in 1..=100 {
            life.push(items, (256 << 10) / items as usize).await;
        }
        life.settled().await;
        let mut random = fastrand::Rng::with_seed(seed);
        let page = random.u64(300..size(&disk.file()) / PAGE);
        let file = fs::OpenOptions::new().write(true).open(disk.file()).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[0xa5; PAGE as usize], page * PAGE).unwrap();
        let counts = drained(life).await;
        found += usize::from(dropped(&counts, DropReason::Storage) > 0);
    }
    assert!(found > 0);
}
