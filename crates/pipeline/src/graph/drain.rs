//! Stops parts of a graph: in the order of the stream, within one deadline, and with every item accounted for.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::parts::Parts;
use super::pipeline::{ClosedPipeline, RunningPipeline};
use super::plan::ExporterKey;
use super::receiver::RunningReceiver;
use super::task::Task;
use crate::books::DropReason;
use crate::processors::Aggregator;

/// How long after the deadline exporters and tasks may take to settle their ledgers.
const GRACE: Duration = Duration::from_secs(1);

/// The metrics pipelines that replace stopped ones, by id.
pub(super) type Heirs = BTreeMap<String, Heir>;

/// Outlets of stopped pipelines to exporters that go on.
pub(super) type OnTheirOwn = Vec<(ExporterKey, Task<()>)>;

/// A metrics pipeline that waits until its predecessor has ended. Otherwise its first points would come before the last
/// points of the predecessor. A backend would read that as a reset and count the whole old sum a second time.
pub(super) struct Heir {
    /// Where the sums of the predecessor go. If the heir does not inherit them, this is dropped when the predecessor has
    /// ended.
    pub(super) sums: oneshot::Sender<Aggregator>,
    /// Whether it goes on with the sums.
    pub(super) inherits: bool,
}

/// Stops the receivers, drains everything in order, and stops the exporters, all until `deadline`. What is not
/// delivered by then is dropped and counted.
///
/// If a pipeline stops and its exporter goes on, the outlet between them hands over what it holds, however long that
/// takes. Such outlets are not waited for. They are returned.
pub(super) async fn drain(parts: Parts, deadline: Instant, heirs: Heirs) -> OnTheirOwn {
    let Parts { receivers, pipelines, exporters, closed_outlets } = parts;
    let mut stages = stop_receivers(receivers, deadline).await;
    // Stages, pipelines and outlets have nine tenths of the time, in which they may also wait for room in a queue or
    // for a retry. Then the exporters are shut down. This ends such waits, so that everything behind them can finish,
    // too.
    exporters.values().for_each(|running| running.exporter.begin_shutdown(deadline));
    let patience = deadline - deadline.saturating_duration_since(Instant::now()) / 10;
    all_ended(&mut stages, patience).await;
    let mut outlets = closed_outlets;
    let mut pipelines: Vec<_> = pipelines.into_values().map(RunningPipeline::close).collect();
    for pipeline in &mut pipelines {
        outlets.append(&mut pipeline.outlets);
    }
    bequeath(&mut pipelines, heirs, patience).await;
    let is_stopped = |key: &ExporterKey| exporters.contains_key(key);
    let (mut outlets, on_their_own): (Vec<_>, Vec<_>) =
        outlets.into_iter().partition(|(key, _)| is_stopped(key));
    outlets_ended(&mut outlets, patience).await;

    let late = deadline + GRACE;
    let shutdowns = exporters.values().map(|running| running.exporter.shutdown(deadline));
    let (shut_down, (), (), ()) = tokio::join!(
        timeout_at(late, join_all(shutdowns)),
        all_ended(&mut stages, late),
        pipelines_ended(&mut pipelines, late),
        outlets_ended(&mut outlets, late)
    );
    let drained = shut_down.is_ok()
        && stages.iter().all(Task::has_ended)
        && pipelines.iter().all(|pipeline| pipeline.task.has_ended())
        && outlets.iter().all(|(_, outlet)| outlet.has_ended());
    if !drained {
        warn!("the deadline passed before everything was drained");
    }

    // Tasks that are late are aborted, so that they do not change the books after the final numbers are logged.
    join_all(stages.iter_mut().map(Task::abort)).await;
    join_all(pipelines.iter_mut().map(|pipeline| pipeline.task.abort())).await;
    join_all(outlets.iter_mut().map(|(_, outlet)| outlet.abort())).await;
    let reason = if drained { DropReason::Internal } else { DropReason::Shutdown };
    for pipeline in &pipelines {
        pipeline.ledger.write_off(reason);
    }
    for exporter in exporters.values() {
        exporter.write_off(reason);
    }
    on_their_own
}

/// Stops all receivers at the same time, and returns their stages, which may still have something to hand over.
async fn stop_receivers(receivers: BTreeMap<String, RunningReceiver>, deadline: Instant) -> Vec<Task<()>> {
    let (stages, stops): (Vec<_>, Vec<_>) = receivers
        .into_values()
        .map(|RunningReceiver { mut receiver, task, .. }| (task, spawn_blocking(move || receiver.stop())))
        .unzip();
    for stopped in timeout_at(deadline, join_all(stops)).await.unwrap_or_default() {
        if let Err(panic) = stopped {
            error!(%panic, "a receiver panicked while it stopped");
        }
    }
    stages
}

/// Waits until the pipelines have ended. As soon as one has ended, its heir begins: with its sums, if it inherits them.
async fn bequeath(pipelines: &mut [ClosedPipeline], mut heirs: Heirs, until: Instant) {
    let ends = pipelines.iter_mut().map(|pipeline| {
        let heir = heirs.remove(&pipeline.ledger.key().pipeline);
        async move {
            let sums = pipeline.task.ended(until).await.flatten();
            if let Some((sums, heir)) = sums.zip(heir)
                && heir.inherits
            {
                let _ = heir.sums.send(sums); // if the heir is gone, nobody needs the sums
            }
        }
    });
    join_all(ends.collect::<Vec<_>>()).await;
}

async fn all_ended(tasks: &mut [Task<()>], until: Instant) {
    join_all(tasks.iter_mut().map(|task| task.ended(until))).await;
}

async fn pipelines_ended(pipelines: &mut [ClosedPipeline], until: Instant) {
    join_all(pipelines.iter_mut().map(|pipeline| pipeline.task.ended(until))).await;
}

async fn outlets_ended(outlets: &mut [(ExporterKey, Task<()>)], until: Instant) {
    join_all(outlets.iter_mut().map(|(_, outlet)| outlet.ended(until))).await;
}
