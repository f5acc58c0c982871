//! The task of one pipeline: flow processors, then `aggregate` (metrics), then `batch`, then the exporters.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::{Fuse, FusedFuture};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::CHUNK;
use super::fanout::Fanout;
use crate::books::Ledger;
use crate::component::{Batch, FlowProcessor};
use crate::metric::MetricPoint;
use crate::processors::{AggregateConfig, Aggregator, Batcher};
use crate::record::Record;

/// What pipelines of both signals begin with.
pub(super) struct Head {
    pub(super) ledger: Ledger,
    pub(super) records: mpsc::Receiver<Record>,
    pub(super) processors: Vec<Box<dyn FlowProcessor>>,
}

impl Head {
    /// The next records, those that the processors left; `None` once all flow stages have ended. Cancel-safe.
    async fn next(&mut self) -> Option<Vec<Record>> {
        let mut records = Vec::new();
        let count = self.records.recv_many(&mut records, CHUNK).await;
        for processor in &mut self.processors {
            processor.process(&mut records);
        }
        self.ledger.filter((count - records.len()) as u64);
        (count > 0).then_some(records)
    }
}

/// Runs a logs pipeline until its input ends and everything is exported.
pub(super) async fn run_logs(mut head: Head, mut batcher: Batcher<Record>, exporters: Fanout) {
    let ledger = head.ledger.clone();
    let pass = |batches: Vec<Vec<Record>>| {
        let count = batches.iter().map(|records| records.len() as u64).sum();
        let sending =
            exporters.send(batches.into_iter().map(|records| Batch::Logs(records.into())).collect());
        ledger.pass(count);
        sending
    };
    loop {
        let due = batcher.due();
        tokio::select! {
            records = head.next() => match records {
                Some(records) => pass(batcher.push(records, Instant::now())).await,
                None => break,
            },
            () = at(due) => pass(Vec::from_iter(batcher.flush())).await,
        }
    }
    pass(Vec::from_iter(batcher.flush())).await;
}

/// Runs a metrics pipeline until its input ends, the last window is closed and everything is exported.
pub(super) async fn run_metrics(
    mut head: Head,
    config: AggregateConfig,
    mut batcher: Batcher<MetricPoint>,
    exporters: Fanout,
) {
    let mut sums = Aggregator::new(&config, unix_nano());
    let mut tick = interval_at(Instant::now() + *config.interval, *config.interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let send = |batches: Vec<Vec<MetricPoint>>| {
        exporters.send(batches.into_iter().map(|points| Batch::Metrics(points.into())).collect())
    };
    // While exporters make the pipeline wait, sums go on growing, and the next report has it all.
    let mut sending = Box::pin(Fuse::terminated());
    loop {
        let due = batcher.due();
        let idle = sending.is_terminated();
        tokio::select! {
            records = head.next() => match records {
                Some(records) => {
                    sums.add(&records);
                    head.ledger.aggregate(records.len() as u64);
                }
                None => break,
            },
            () = &mut sending, if !idle => {}
            _ = tick.tick(), if idle => {
                let full = batcher.push(sums.report(unix_nano()), Instant::now());
                sending.set(send(full).fuse());
            }
            () = at(due), if idle => sending.set(send(Vec::from_iter(batcher.flush())).fuse()),
        }
    }
    if !sending.is_terminated() {
        sending.await;
    }
    let mut last = batcher.push(sums.report(unix_nano()), Instant::now());
    last.extend(batcher.flush());
    send(last).await;
}

/// Waits until `due`; for ever without one.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The wall clock, in ns since the Unix epoch; 0 where it is set before that.
fn unix_nano() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
