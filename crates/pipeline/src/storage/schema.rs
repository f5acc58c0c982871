//! The shape of a database: how it is made, and how one of another version is told.

use std::time::Duration;

use rusqlite::Connection;

use super::config::Config;
use super::error::StoreError;

/// Marks a database as a store of this program ("TCPr", in the header of the file).
const APPLICATION: i64 = 0x5443_5072;
/// Version of the tables below.
const VERSION: i64 = 1;

/// How long a commit waits while an operator reads or copies the file.
const BUSY: Duration = Duration::from_secs(2);
/// Size of a page, in bytes. SQLite writes, reads and frees page by page. With its own default of 4 KiB a million compressed
/// log records cost three times as much as with this (`cargo bench --bench end_to_end -- storage`).
const PAGE: i64 = 16 << 10;
/// The log is written back into the database when it has so many pages, 4 MiB.
const CHECKPOINT: i64 = (4 << 20) / PAGE;
/// After that the log's file is cut to this size, in bytes.
const LOG_LIMIT: i64 = 4 << 20;

const TABLES: &str = "
    -- One row per request, in the order of id. first_enqueued is in ms since the Unix epoch.
    CREATE TABLE request (
        id             INTEGER PRIMARY KEY,
        pipeline       TEXT    NOT NULL,
        items          INTEGER NOT NULL,
        first_enqueued INTEGER NOT NULL,
        format         TEXT    NOT NULL,
        compression    TEXT    NOT NULL,
        checksum       INTEGER NOT NULL,
        body           BLOB    NOT NULL
    ) STRICT;
    -- The sums over the rows of each pipeline. So a start need not read all rows.
    CREATE TABLE total (
        pipeline TEXT    PRIMARY KEY,
        requests INTEGER NOT NULL,
        items    INTEGER NOT NULL,
        bytes    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- How far the times in this file are behind the wall clock, in ms.
    CREATE TABLE clock (off INTEGER NOT NULL) STRICT;
    INSERT INTO clock (off) VALUES (0);
";

/// Makes the tables of a new database, or checks those of an existing one, and sets how it is used.
///
/// # Errors
/// `Damaged` if its content makes no sense. `Failed` if it is not a store, if a newer version of this program made it, or
/// if the file can't be used.
pub(super) fn prepare(db: &mut Connection, config: &Config) -> Result<(), StoreError> {
    db.busy_timeout(BUSY)?;
    let text = |number: i64| number.to_string();
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        db.pragma_update(None, "page_size", PAGE)?;
        db.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Failed(
            "this file system can't share memory, which SQLite's log needs".to_owned(),
        ));
    }
    let sync = if config.fsync { "full" } else { "normal" };
    db.pragma_update(None, "synchronous", sync)?;
    db.pragma_update_and_check(None, "journal_size_limit", text(LOG_LIMIT), |_| Ok(()))?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", text(CHECKPOINT), |_| Ok(()))?;
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let most = i64::try_from(config.max_size.bytes()).unwrap_or(i64::MAX) / page.max(1);
    db.pragma_update_and_check(None, "max_page_count", text(most), |_| Ok(()))?;
    let made = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let application: i64 = made.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = made.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match (application, version) {
        (0, 0) if is_empty(&made)? => {
            made.execute_batch(TABLES)?;
            made.pragma_update(None, "application_id", APPLICATION)?;
            made.pragma_update(None, "user_version", VERSION)?;
            made.commit()?;
            Ok(())
        }
        (APPLICATION, VERSION) => Ok(()),
        (APPLICATION, newer) if newer > VERSION => Err(StoreError::Failed(format!(
            "a newer version of this program made it (format {newer}, this one knows {VERSION}); start that version, \
             or move the file away"
        ))),
        (APPLICATION, _) => Err(StoreError::Damaged(format!("there is no format {version}"))),
        _ => Err(StoreError::Failed(
            "it is the database of another program; move it away, or use another directory".to_owned(),
        )),
    }
}

fn is_empty(db: &Connection) -> Result<bool, StoreError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}
