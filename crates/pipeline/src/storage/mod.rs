//! Storage: requests on disk, in one SQLite database per exporter and signal.
//!
//! A database survives a killed process, because SQLite's commits do: what was committed is there at the next start. An
//! operator can read it with `sqlite3`. The files of a directory belong to one process at a time.
//!
//! This part knows files and rows. The queue that uses it is in [`delivery`](crate::delivery).

mod age;
mod config;
mod directory;
mod error;
mod query;
mod row;
mod salvage;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use age::{AgeClock, Clocks};
pub use config::Config;
pub(crate) use directory::{Place, Taken, Wanting};
pub use directory::{Storage, Storages};
pub use error::OpenError;
pub(crate) use error::StoreError;
pub(crate) use row::{Head, Row, Total, Totals};
pub(crate) use salvage::{Damage, Opened, open, set_aside};
pub(crate) use store::Store;
pub(crate) use write::Write;
