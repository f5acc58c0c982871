//! One database: reads rows, and writes several changes as one commit.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::config::Config;
use super::error::StoreError;
use super::query::{head, next_id, number};
use super::row::{Head, Row, Total, Totals};
use super::schema::prepare;
use super::write::Write;
use crate::delivery::Request;

/// An open database.
pub(crate) struct Store {
    db: Connection,
}

impl Store {
    /// Opens the database at `path`. Makes it if there is none.
    ///
    /// # Errors
    /// It is damaged, or can't be used.
    pub(crate) fn open(path: &Path, config: &Config) -> Result<Store, StoreError> {
        // SQLite would make it readable for everybody. Its other files get the mode of this one.
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        made.map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut db = connect(path)?;
        prepare(&mut db, config)?;
        Ok(Store { db })
    }

    /// Opens a damaged database, to read what can be read of it.
    ///
    /// # Errors
    /// Nothing of it can be read.
    pub(super) fn open_damaged(path: &Path) -> Result<Store, StoreError> {
        let db = connect(path)?;
        // Otherwise SQLite refuses a file that was cut.
        db.pragma_update(None, "writable_schema", "on")?;
        Ok(Store { db })
    }

    /// Makes several changes as one commit: all of them, or none if `changes` fails.
    ///
    /// # Errors
    /// As `changes`, or the commit failed.
    pub(crate) fn write<T>(
        &mut self,
        changes: impl FnOnce(&mut Write<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut write = Write::new(&transaction, number(&transaction, "page_size")?.max(1));
        let done = changes(&mut write)?;
        write.finish()?;
        transaction.commit()?;
        Ok(done)
    }

    /// The sums over all rows, by pipeline.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn totals(&self) -> Result<Totals, StoreError> {
        let mut select = self.db.prepare_cached("SELECT pipeline, requests, items, bytes FROM total")?;
        let rows = select.query_map([], |row| {
            let total = Total { requests: row.get(1)?, items: row.get(2)?, bytes: row.get(3)? };
            Ok((Arc::from(row.get::<_, String>(0)?), total))
        })?;
        Ok(rows.collect::<Result<Totals, _>>()?)
    }

    /// How far the times of its rows are behind the wall clock, in ms.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn clock_off(&self) -> Result<i64, StoreError> {
        Ok(self.db.query_row("SELECT off FROM clock", [], |row| row.get(0))?)
    }

    /// The largest id; 0 if there is no row.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn last_id(&self) -> Result<i64, StoreError> {
        let mut select = self.db.prepare_cached("SELECT id FROM request ORDER BY id DESC LIMIT 1")?;
        Ok(select.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// The smallest id that is larger than `after`.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn next_id(&self, after: i64) -> Result<Option<i64>, StoreError> {
        next_id(&self.db, after)
    }

    /// The largest id that is smaller than `before`.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn previous_id(&self, before: i64) -> Result<Option<i64>, StoreError> {
        let mut select =
            self.db.prepare_cached("SELECT id FROM request WHERE id < ? ORDER BY id DESC LIMIT 1")?;
        Ok(select.query_row([before], |row| row.get(0)).optional()?)
    }

    /// Whether there is a row with this id.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn has(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.next_id(id - 1)? == Some(id))
    }

    /// The row with this id. `None` if there is none, or if its content is not what was written.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn row(&self, id: i64) -> Result<Option<Row>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT pipeline, items, first_enqueued, format, compression, checksum, body FROM request WHERE id = ?",
        )?;
        let read = select.query_row([id], |row| {
            let request = Request {
                items: row.get::<_, i64>(1)?.cast_unsigned(),
                format: parsed(row.get(3)?).unwrap_or_default(),
                compression: parsed(row.get(4)?).unwrap_or_default(),
                body: row.get::<_, Vec<u8>>(6)?.into(),
            };
            let pipeline = Arc::from(row.get::<_, String>(0)?);
            let read = Row { id, pipeline, first_enqueued: row.get(2)?, request };
            Ok((read, row.get::<_, u32>(5)?))
        });
        let read = read.optional()?;
        Ok(read.filter(|(row, checksum)| row.checksum() == *checksum).map(|(row, _)| row))
    }

    /// What the database says about a row, without a look at its body. `None` if there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn head(&self, id: i64) -> Result<Option<Head>, StoreError> {
        head(&self.db, id)
    }

    /// The sums over the rows with a larger id than `after`, by pipeline and by whether the id is at most `border`.
    ///
    /// # Errors
    /// They can't be read.
    pub(crate) fn sums_after(
        &self,
        after: i64,
        border: i64,
    ) -> Result<BTreeMap<(String, bool), Total>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT pipeline, id <= ?2, count(*), sum(items), sum(length(body))
             FROM request WHERE id > ?1 GROUP BY 1, 2",
        )?;
        let rows = select.query_map([after, border], |row| {
            let total = Total { requests: row.get(2)?, items: row.get(3)?, bytes: row.get(4)? };
            Ok(((row.get(0)?, row.get(1)?), total))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Bytes of the file in which nothing is stored.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn free_bytes(&self) -> Result<u64, StoreError> {
        Ok(number(&self.db, "freelist_count")? * number(&self.db, "page_size")?)
    }

    /// Gives up to `bytes` free bytes back to the file system.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn shrink(&self, bytes: u64) -> Result<(), StoreError> {
        let pages = bytes / number(&self.db, "page_size")?.max(1);
        let mut vacuum = self.db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        // Each step frees one page.
        let mut steps = vacuum.query(params![])?;
        while steps.next()?.is_some() {}
        drop(steps);
        drop(vacuum);
        self.checkpoint()
    }

    /// Writes the log back into the database, and cuts it. The file has its true size after this.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// Connects to a file that is there. Its content may be anything, so SQLite must not trust it.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.pragma_update(None, "trusted_schema", "off")?;
    db.pragma_update(None, "cell_size_check", "on")?;
    Ok(db)
}

fn parsed<T: std::str::FromStr>(text: String) -> Option<T> {
    text.parse().ok()
}
