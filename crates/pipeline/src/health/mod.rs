//! The health of the process: decided from what runs and from the books, without any I/O.
//!
//! Two questions are answered apart. *Ready* means that everything has started and can deliver. *Healthy* means ready,
//! and that the numbers can be trusted: the audit finds no difference.

mod condition;
mod judge;
#[cfg(test)]
mod tests;

pub use condition::{Condition, State};
pub use judge::{HANGS_AFTER, Health, PipelineHealth, judge};
