//! The books: every item is accounted for, at a named place and for a named reason.
//!
//! Three kinds of ledger, each an equation that a [`Snapshot`] shows:
//!
//! - a receiver: `seen = received + unobserved(place, reason)`, plus what is still on its way;
//! - a pipeline: `accepted = passed + filtered + aggregated + dropped(reason) + in flight` (records: flows and
//!   gaps);
//! - a pipeline's exporter: `accepted = delivered + rejected + dropped(reason) + queued + in flight` (log records
//!   or metric points).
//!
//! "In flight" is what is accepted and not yet accounted for otherwise: after a drain it is 0, or something leaked.

mod ledger;
mod receiver;
mod registry;
mod signal;
#[cfg(test)]
mod tests;

pub use ledger::{Counts, DropReason, Ledger, LedgerKey};
pub use receiver::{Gaps, ReceiverCounts, Unobserved};
pub use registry::{Books, QueueCounts, Snapshot};
pub use signal::Signal;
