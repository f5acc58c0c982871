//! Changes that become one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::query::{head, next_id, number};
use super::row::{Head, Row, Total};

/// The changes of one commit.
pub(crate) struct Write<'c> {
    db: &'c Connection,
    /// Size of a page, in bytes.
    page: u64,
    /// How the sums change, by pipeline.
    changes: BTreeMap<Arc<str>, Total>,
}

impl<'c> Write<'c> {
    pub(super) fn new(db: &'c Connection, page: u64) -> Self {
        Write { db, page, changes: BTreeMap::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn append(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut insert = self.db.prepare_cached(
            "INSERT INTO request (id, pipeline, items, first_enqueued, format, compression, checksum, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let (format, compression): (&str, &str) = (row.request.format.into(), row.request.compression.into());
        insert.execute(params![
            row.id,
            row.pipeline.as_ref(),
            row.request.items.cast_signed(),
            row.first_enqueued,
            format,
            compression,
            row.checksum(),
            row.request.body.as_ref(),
        ])?;
        self.changes.entry(Arc::clone(&row.pipeline)).or_default().add(&row.head());
        Ok(())
    }

    /// Removes the row with this id. Does nothing if there is none.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn remove(&mut self, id: i64) -> Result<(), StoreError> {
        if let Some(head) = head(self.db, id)? {
            self.db.prepare_cached("DELETE FROM request WHERE id = ?")?.execute([id])?;
            self.changes.entry(Arc::clone(&head.pipeline)).or_default().subtract(&head);
        }
        Ok(())
    }

    /// The first row with a larger id than `after`, without its body.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn next(&self, after: i64) -> Result<Option<Head>, StoreError> {
        match next_id(self.db, after)? {
            Some(id) => head(self.db, id),
            None => Ok(None),
        }
    }

    /// Whether a body of `bytes` bytes fits into a file of `limit` bytes.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn fits(&self, bytes: u64, limit: u64) -> Result<bool, StoreError> {
        let used = number(self.db, "page_count")?.saturating_sub(number(self.db, "freelist_count")?);
        // A row has its own part of a page, then pages for its body. SQLite adds pages for the tree and its map.
        let needed = bytes / self.page + bytes / (self.page * 64) + 4;
        Ok((used + needed) * self.page <= limit)
    }

    /// Notes how far the times of rows are behind the wall clock, in ms.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn set_clock_off(&mut self, off: i64) -> Result<(), StoreError> {
        self.db.prepare_cached("UPDATE clock SET off = ?")?.execute([off])?;
        Ok(())
    }

    /// Writes the changed sums.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        for (pipeline, change) in self.changes {
            let mut update = self.db.prepare_cached(
                "INSERT INTO total (pipeline, requests, items, bytes) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (pipeline) DO UPDATE
                 SET requests = requests + ?2, items = items + ?3, bytes = bytes + ?4",
            )?;
            update.execute(params![pipeline.as_ref(), change.requests, change.items, change.bytes])?;
        }
        Ok(())
    }
}
