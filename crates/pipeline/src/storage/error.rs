//! What can go wrong with a store.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why an operation on a store failed. Nothing of the operation is in the store then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file is damaged: another attempt will fail, too.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Something else, such as a full disk. Another attempt may succeed.
    #[error("{0}")]
    Failed(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match &error {
            Error::SqliteFailure(failure, _)
                if matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =>
            {
                StoreError::Damaged(error.to_string())
            }
            // A value of another type than its column, or a column that is gone.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::InvalidColumnName(..)
            | Error::QueryReturnedNoRows
            | Error::Utf8Error(..) => StoreError::Damaged(error.to_string()),
            Error::SqliteFailure(failure, _) => {
                let meaning = match failure.code {
                    ErrorCode::DiskFull => "the disk is full",
                    ErrorCode::ReadOnly => "the file system or the file is read-only",
                    ErrorCode::CannotOpen => "the file can't be opened",
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another process holds it",
                    ErrorCode::SystemIoFailure => "input or output failed; the disk may be full",
                    _ => return StoreError::Failed(error.to_string()),
                };
                StoreError::Failed(format!("{meaning} ({error})"))
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// Why a store or its directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory can't be made or used.
    #[error("can't use {path}: {source}; expected a directory that this user (uid {uid}) may write")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The user of this process.
        uid: u32,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{path} belongs to another process that runs; give each process a directory of its own")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The store of one exporter can't be used.
    #[error("can't use {path}: {why}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What happened, and what to do.
        why: String,
    },
}
