//! What `top` counts: each record, in one row of each table.

mod history;
mod key;
mod row;
mod sums;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use history::SECONDS;
pub use key::By;
pub(crate) use key::Key;
pub(crate) use row::Row;
pub(crate) use sums::Model;
