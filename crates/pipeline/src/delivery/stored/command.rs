//! What the queue asks its thread to do.

use tokio::sync::OwnedSemaphorePermit;

use crate::books::Ledger;
use crate::delivery::request::Request;

/// What the queue asks the thread to do.
pub(super) enum Command {
    /// Commit a request.
    Append(Append),
    /// Remove the row with this id: its end is in the books.
    Remove(i64),
    /// Read more rows.
    Fetch,
    /// Nothing is sent any more, so no room will come free.
    Stop,
    /// Commit everything and end.
    Finish,
}

/// A request that came in.
pub(super) struct Append {
    pub(super) request: Request,
    pub(super) ledger: Ledger,
    /// Its share of what may be uncommitted.
    pub(super) _room: OwnedSemaphorePermit,
}
