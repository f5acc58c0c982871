//! The task of a logs pipeline: flow processors, then `batch`, then the outlets.

use tokio::task::yield_now;
use tokio::time::Instant;

use super::chain::Chain;
use super::outlet::Fanout;
use super::timer::at;
use crate::books::Ledger;
use crate::chunk::{Chunks, Receiver};
use crate::component::Batch;
use crate::processors::Batcher;
use crate::record::Record;

/// What the task consists of.
pub(super) struct LogsPipeline {
    pub(super) records: Receiver<Record>,
    pub(super) chain: Chain,
    pub(super) batcher: Batcher<Record>,
    pub(super) fanout: Fanout,
    pub(super) ledger: Ledger,
}

impl LogsPipeline {
    /// Runs until the entrance is closed and everything is handed over.
    pub(super) async fn run(mut self) {
        loop {
            let (chain_due, batch_due) = (self.chain.due(), self.batcher.due());
            let passed = tokio::select! {
                records = self.records.recv() => match records {
                    None => break,
                    Some(records) => self.chain.push(records, Instant::now()),
                },
                () = at(chain_due) => self.chain.flush_due(Instant::now()),
                () = at(batch_due) => {
                    let batch = Vec::from_iter(self.batcher.flush());
                    self.pass(batch).await;
                    continue;
                }
            };
            let full = self.batcher.push(passed, Instant::now());
            self.pass_each(full).await;
        }
        let rest = self.chain.flush_all(Instant::now());
        let mut last = self.batcher.push(rest, Instant::now());
        last.extend(self.batcher.flush());
        self.pass_each(last).await;
    }

    /// Like [`pass`](Self::pass), for several batches. A processor that holds records may return many at once: the tasks of
    /// the exporters get a turn between two batches, so that there is room for the next one.
    fn pass_each(&self, batches: Vec<Chunks<Record>>) -> impl Future<Output = ()> + Send + use<> {
        let passing: Vec<_> = batches.into_iter().map(|batch| self.pass(vec![batch])).collect();
        async move {
            for (index, passing) in passing.into_iter().enumerate() {
                if index > 0 {
                    yield_now().await;
                }
                passing.await;
            }
        }
    }

    /// Counts the batches in the ledgers at once. The returned future hands them over.
    fn pass(&self, batches: Vec<Chunks<Record>>) -> impl Future<Output = ()> + Send + use<> {
        let count = batches.iter().map(|records| records.len() as u64).sum();
        let sending = self.fanout.send(batches.into_iter().map(Batch::Logs).collect());
        self.ledger.pass(count);
        sending
    }
}
