//! The task of a metrics pipeline: flow processors, then `aggregate`, then `batch`, then the outlets. Metric points of
//! receivers enter behind `aggregate`.

use futures::FutureExt;
use futures::future::{Fuse, FusedFuture};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::chain::Chain;
use super::outlet::Fanout;
use super::timer::at;
use crate::books::Ledger;
use crate::chunk::{Chunks, Receiver};
use crate::clock::unix_nano;
use crate::component::Batch;
use crate::metric::MetricPoint;
use crate::processors::{AggregateConfig, Aggregator, Batcher};
use crate::record::Record;

/// What the task consists of.
pub(super) struct MetricsPipeline {
    pub(super) records: Receiver<Record>,
    pub(super) points: Receiver<MetricPoint>,
    pub(super) chain: Chain,
    pub(super) aggregate: AggregateConfig,
    /// Tells when the pipeline that this one replaces has ended, and has its sums if this one inherits them.
    pub(super) predecessor: Option<oneshot::Receiver<Aggregator>>,
    /// Gets a message when the receivers have started.
    pub(super) begun: oneshot::Receiver<()>,
    pub(super) batcher: Batcher<MetricPoint>,
    pub(super) fanout: Fanout,
    pub(super) ledger: Ledger,
}

impl MetricsPipeline {
    /// Runs until the entrances are closed, the last window is reported and everything is handed over. Returns the
    /// sums, for the pipeline that replaces this one.
    pub(super) async fn run(mut self) -> Aggregator {
        let (mut sums, mut is_expected) = self.first_sums().await;
        let mut tick = interval_at(Instant::now() + *self.aggregate.interval, *self.aggregate.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // While the pipeline waits for its outlets, records are still added to the sums. The next report has all of
        // them.
        let mut sending = Box::pin(Fuse::terminated());
        loop {
            let (chain_due, batch_due) = (self.chain.due(), self.batcher.due());
            let idle = sending.is_terminated();
            tokio::select! {
                records = self.records.recv() => match records {
                    None => break,
                    Some(records) => {
                        let passed = self.chain.push(records, Instant::now());
                        self.add(&mut sums, &passed);
                    }
                },
                () = at(chain_due) => {
                    let passed = self.chain.flush_due(Instant::now());
                    self.add(&mut sums, &passed);
                }
                () = &mut sending, if !idle => {}
                points = self.points.recv(), if idle && !self.points.is_closed() => {
                    let full = self.batcher.push(points.unwrap_or_default(), Instant::now());
                    sending.set(self.send(full).fuse());
                }
                begun = &mut self.begun, if idle && !is_expected => {
                    is_expected = true;
                    if begun.is_ok() {
                        sums.expect();
                        let full = self.report(&mut sums);
                        sending.set(self.send(full).fuse());
                    }
                }
                _ = tick.tick(), if idle => {
                    let full = self.report(&mut sums);
                    sending.set(self.send(full).fuse());
                }
                () = at(batch_due), if idle => {
                    let batch = Vec::from_iter(self.batcher.flush());
                    sending.set(self.send(batch).fuse());
                }
            }
        }
        if !sending.is_terminated() {
            sending.await;
        }
        self.finish(&mut sums).await;
        sums
    }

    /// Hands over the records that are still held, the points that are still in the channel, and the last window.
    async fn finish(&mut self, sums: &mut Aggregator) {
        let rest = self.chain.flush_all(Instant::now());
        self.add(sums, &rest);
        let mut last = Vec::new();
        while let Some(points) = self.points.try_recv() {
            last.extend(self.batcher.push(points, Instant::now()));
        }
        last.extend(self.report(sums));
        last.extend(self.batcher.flush());
        self.send(last).await;
    }

    /// The sums to begin with, and whether the series that can be expected are among them.
    async fn first_sums(&mut self) -> (Aggregator, bool) {
        let inherited = match self.predecessor.take() {
            Some(sums) => sums.await.ok(),
            None => None,
        };
        match inherited {
            Some(sums) => (sums, true),
            None => (Aggregator::new(&self.aggregate, unix_nano()), false),
        }
    }

    /// Closes the window, and returns the batches that are complete with its points.
    fn report(&mut self, sums: &mut Aggregator) -> Vec<Chunks<MetricPoint>> {
        let now = Instant::now();
        self.batcher.push(sums.report(unix_nano(), now).into(), now)
    }

    fn add(&self, sums: &mut Aggregator, records: &[Record]) {
        sums.add(records);
        self.ledger.aggregate(records.len() as u64);
    }

    fn send(&self, batches: Vec<Chunks<MetricPoint>>) -> impl Future<Output = ()> + Send + use<> {
        self.fanout.send(batches.into_iter().map(Batch::Metrics).collect())
    }
}
