//! The books: they account for every item, and name the place and the reason of each loss.
//!
//! There are three kinds of accounts. Each is an equation, and a [`Snapshot`] shows its numbers:
//!
//! - a receiver: `seen = received + unobserved(place, reason)`, plus what is still on its way;
//! - a pipeline: `accepted = passed + filtered + aggregated + dropped(reason) + in flight` (records: flows and
//!   gaps);
//! - a pipeline's exporter: `accepted + restored = delivered + rejected + dropped(reason) + stored + queued + in flight`
//!   (log records or metric points). What one exporter leaves in storage is what a later one restores.
//!
//! "In flight" is what is accepted and not yet accounted for otherwise. After a drain it must be 0; another number
//! means that items were lost without a reason.

mod ledger;
mod receiver;
mod registry;
mod signal;
#[cfg(test)]
mod tests;

pub use ledger::{Counts, DropReason, Ledger, LedgerKey};
pub use receiver::{AUDIT_DIFFERENCE, GapCounts, Gauge, ReceiverCounts, Unobserved};
pub use registry::{Books, QueueCounts, Snapshot};
pub use signal::Signal;
