//! A record as a line of JSON: one object with the names of the log record's attributes.
//!
//! `{"time":"2026-11-23T04:00:00.001500000Z","event_name":"tcp.retransmit","network.transport":"tcp",…}`

mod read;
mod write;

pub use read::{Unreadable, read};
pub use write::write;

#[cfg(test)]
mod tests;
