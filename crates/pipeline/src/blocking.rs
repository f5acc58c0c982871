//! Writes of exporters that have no queue, on threads that may block.

use crate::books::{DropReason, Ledger};
use crate::component::Batch;

/// Runs `write` on such a thread, since a disk, a terminal or a pipe may be slow, and the runtime's own threads must not
/// block. `write` settles the ledger, so that a batch that is being written is counted even if this future is dropped.
pub async fn write(batch: Batch, ledger: Ledger, write: impl FnOnce(&Batch, &Ledger) + Send + 'static) {
    let items = batch.len() as u64;
    let spare = ledger.clone();
    let written = tokio::task::spawn_blocking(move || write(&batch, &ledger)).await;
    if written.is_err_and(|error| error.is_cancelled()) {
        spare.drop_items(items, DropReason::Shutdown);
    }
}
