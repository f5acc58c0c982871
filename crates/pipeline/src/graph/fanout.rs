//! From one pipeline to its exporters.

use std::sync::Arc;

use futures::future::join_all;

use crate::books::Ledger;
use crate::component::{Batch, Exporter};

/// A pipeline's exporters, each with its ledger.
pub(super) struct Fanout(pub(super) Vec<(Arc<dyn Exporter>, Ledger)>);

impl Fanout {
    /// Enters the batches into every exporter's ledger at once; the future exports them in order.
    ///
    /// Exporters work at the same time on the same batch; the slowest has the next one wait.
    pub(super) fn send(&self, batches: Vec<Batch>) -> impl Future<Output = ()> + Send + '_ {
        let items = batches.iter().map(|batch| batch.len() as u64).sum();
        for (_, ledger) in &self.0 {
            ledger.accept(items);
        }
        async move {
            for batch in batches {
                join_all(self.0.iter().map(|(to, ledger)| to.export(batch.clone(), ledger.clone()))).await;
            }
        }
    }
}
