//! Questions that reading and writing have in common.

use std::sync::Arc;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;
use super::row::Head;

/// What the database says about a row.
pub(super) fn head(db: &Connection, id: i64) -> Result<Option<Head>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT pipeline, first_enqueued, items, length(body) FROM request WHERE id = ?")?;
    let read = select.query_row([id], |row| {
        Ok(Head {
            id,
            pipeline: Arc::from(row.get::<_, String>(0)?),
            first_enqueued: row.get(1)?,
            items: row.get::<_, i64>(2)?.cast_unsigned(),
            bytes: row.get::<_, i64>(3)?.cast_unsigned(),
        })
    });
    Ok(read.optional()?)
}

/// The smallest id that is larger than `after`.
pub(super) fn next_id(db: &Connection, after: i64) -> Result<Option<i64>, StoreError> {
    let mut select = db.prepare_cached("SELECT id FROM request WHERE id > ? ORDER BY id LIMIT 1")?;
    Ok(select.query_row([after], |row| row.get(0)).optional()?)
}

/// A number that SQLite knows about the file.
pub(super) fn number(db: &Connection, pragma: &str) -> Result<u64, StoreError> {
    Ok(db
        .pragma_query_value(None, pragma, |row| i64::column_result(row.get_ref(0)?).map_err(Into::into))?
        .cast_unsigned())
}
