//! The exporter that fills the model.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::books::Ledger;
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use tokio::time::Instant;

use crate::top::model::Model;

/// The model, which the exporter fills and the screen reads.
pub(crate) type Shared = Arc<Mutex<Model>>;

/// Adds all records to the model. A record is delivered when it is counted there.
pub(crate) struct Counter(pub(crate) Shared);

impl Exporter for Counter {
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        if let Batch::Logs(records) = &batch {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).add(records.iter());
        }
        ledger.deliver(batch.len() as u64, 0);
        Box::pin(async {})
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}
