//! Files that are not what a store expects, and the clock by which requests age.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{AgeClock, Clocks, Config, Opened, Row, Store, open};
use crate::delivery::{Compression, Format, Request};

/// Size of a page.
const PAGE: u64 = 16 << 10;

fn row(id: i64) -> Row {
    let body = vec![id as u8; 500 + (id as usize * 7919) % 9000];
    Row {
        id,
        pipeline: Arc::from("logs"),
        first_enqueued: 1_700_000_000_000 + id,
        request: Request {
            body: body.into(),
            format: Format::Json,
            compression: Compression::Zstd,
            items: id.cast_unsigned(),
        },
    }
}

/// A closed store of `rows` rows.
fn made(rows: i64) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("store");
    let mut store = Store::open(&path, &Config::default()).unwrap();
    store.write(|write| (1..=rows).try_for_each(|id| write.append(&row(id)))).unwrap();
    store.checkpoint().unwrap();
    (root, path)
}

fn opened(path: &Path) -> Opened {
    open(path, &Config::default()).unwrap()
}

fn refused(path: &Path) -> String {
    open(path, &Config::default()).err().unwrap().to_string()
}

fn ids(store: &Store) -> Vec<i64> {
    let mut ids = Vec::new();
    while let Some(id) = store.next_id(ids.last().copied().unwrap_or(0)).unwrap() {
        ids.push(id);
    }
    ids
}

#[test]
fn rows_are_read_as_they_were_written() {
    let (_root, path) = made(20);
    let Opened { store, totals, damage } = opened(&path);
    assert!(damage.is_none());
    assert_eq!((totals["logs"].requests, totals["logs"].items), (20, 210));
    for id in 1..=20 {
        assert_eq!(format!("{:?}", store.row(id).unwrap().unwrap()), format!("{:?}", row(id)));
    }
}

#[test]
fn changes_that_fail_leave_nothing_behind() {
    let (_root, path) = made(3);
    let Opened { mut store, .. } = opened(&path);
    let failed = store.write(|write| {
        write.append(&row(4))?;
        write.remove(1)?;
        write.append(&row(2)) // it is there
    });
    assert!(failed.is_err());
    assert_eq!((ids(&store), store.totals().unwrap()["logs"].requests), (vec![1, 2, 3], 3));
}

#[test]
fn a_page_that_is_gone_costs_only_what_was_on_it() {
    let (root, path) = made(300);
    let pages = fs::metadata(&path).unwrap().len() / PAGE;
    let mut bytes = fs::read(&path).unwrap();
    // The first pages hold the schema.
    for page in [pages / 3, pages / 2, pages * 2 / 3] {
        let at = (page * PAGE) as usize;
        bytes[at..at + PAGE as usize].fill(0);
    }
    fs::write(&path, bytes).unwrap();
    let again = super::set_aside(&path, &Config::default(), "a test".to_owned()).unwrap();
    let saved = ids(&again.store);
    assert!((280..300).contains(&saved.len()), "{} of 300", saved.len());
    for id in saved {
        assert_eq!(again.store.row(id).unwrap().unwrap().request.body, row(id).request.body);
    }
    let damage = again.damage.unwrap();
    let lost = damage.lost(&again.totals);
    assert_eq!(lost, [(Arc::from("logs"), (300 * 301 / 2 - again.totals["logs"].items).cast_unsigned())]);
    assert!(damage.aside.starts_with(root.path()) && damage.aside.exists());
}

#[test]
fn what_is_no_database_is_set_aside() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("store");
    fs::write(&path, vec![b'x'; 10_000]).unwrap();
    let Opened { totals, damage, .. } = opened(&path);
    let damage = damage.unwrap();
    assert!(totals.is_empty() && damage.before.is_none());
    assert_eq!(fs::read(&damage.aside).unwrap(), vec![b'x'; 10_000], "it is kept");
}

#[test]
fn a_store_of_a_newer_version_and_a_foreign_database_are_refused_and_stay() {
    let (_root, path) = made(3);
    let edit = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    edit("PRAGMA user_version = 2");
    let message = refused(&path);
    assert!(
        message.contains("a newer version of this program made it (format 2, this one knows 1)"),
        "{message}"
    );
    edit("PRAGMA user_version = 1; PRAGMA application_id = 7");
    let message = refused(&path);
    assert!(message.contains("the database of another program"), "{message}");
    edit("PRAGMA application_id = 0x54435072");
    assert_eq!(ids(&opened(&path).store), [1, 2, 3]);
}

thread_local! {
    static WALL: Cell<i64> = const { Cell::new(0) };
    static STEADY: Cell<u64> = const { Cell::new(0) };
}

/// A machine without a battery for its clock begins in 1970. Then NTP sets the clock, and later the process restarts.
#[test]
fn requests_do_not_age_by_a_step_of_the_clock() {
    const HOUR: i64 = 3_600_000;
    let clocks = Clocks { wall: || WALL.get(), steady: || Duration::from_millis(STEADY.get()) };
    let pass = |hours: i64| {
        WALL.set(WALL.get() + hours * HOUR);
        STEADY.set(STEADY.get() + (hours * HOUR).cast_unsigned());
    };
    let clock = AgeClock::new(clocks.clone(), 0);
    assert_eq!((clock.now(), clock.off()), (0, 0));
    pass(1);
    assert_eq!((clock.now(), clock.off()), (HOUR, 0));
    WALL.set(500_000 * HOUR); // a step forward
    assert_eq!((clock.now(), clock.off()), (HOUR, 499_999 * HOUR));
    pass(1);
    let off = clock.off();
    let next_process = AgeClock::new(clocks.clone(), off);
    assert_eq!(next_process.now(), 2 * HOUR);
    WALL.set(WALL.get() - 30 * HOUR); // a step back
    pass(3);
    assert_eq!(next_process.now(), 5 * HOUR);
}
