//! Judges what runs.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::condition::{Condition, State};
use crate::books::{AUDIT_DIFFERENCE, QueueCounts, ReceiverCounts, Signal, Snapshot};
use crate::config::Interval;
use crate::running::{Phase, ReceiverRun, ReceiverState, Runs};
use crate::status::Reported;

/// The health of the process and of its pipelines.
#[derive(Clone, Debug)]
pub struct Health {
    /// What the process is doing.
    pub phase: Phase,
    /// That of the process.
    pub overall: Condition,
    /// The parts that hang, if there are any: nothing but a restart helps.
    pub hanging: Option<String>,
    /// By id.
    pub pipelines: BTreeMap<String, PipelineHealth>,
}

impl Health {
    /// Whether everything has started, and nothing is stopping.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }
}

/// The health of a pipeline and of its components.
#[derive(Clone, Debug)]
pub struct PipelineHealth {
    /// That of the pipeline: the worst of its components.
    pub overall: Condition,
    /// Its receivers, by id.
    pub receivers: BTreeMap<String, Condition>,
    /// Its processors, by id.
    pub processors: BTreeMap<String, Condition>,
    /// Its exporters, by id.
    pub exporters: BTreeMap<String, Condition>,
}

/// So long a part may have work and get nothing done before it hangs. A look comes from each question about the health.
pub const HANGS_AFTER: Duration = Duration::from_secs(5);

/// Judges what runs at `now`. The parts that are `hanging` make the process unhealthy.
///
/// An exporter that has delivered something may fail, and a queue may be full, for so long as `unhealthy_after` before that
/// is unhealthy. An exporter that has not delivered anything since it was started may not: it is unhealthy from its first
/// attempt until the first success.
pub fn judge(
    runs: &Runs,
    books: &Snapshot,
    hanging: &[String],
    unhealthy_after: Duration,
    now: Instant,
) -> Health {
    let receiver_counts = |id: &String| books.receivers.iter().find(|(known, _)| known == id);
    let receivers: BTreeMap<&String, Condition> = runs
        .receivers
        .iter()
        .map(|(id, run)| (id, receiver(run, receiver_counts(id).map(|(_, counts)| counts))))
        .collect();
    let queue = |key: &(String, Signal)| books.queues.iter().find(|(known, _)| known == key);
    let exporters: BTreeMap<&(String, Signal), Condition> = runs
        .exporters
        .iter()
        .map(|(key, reported)| {
            let queue = queue(key).map(|(_, queue)| queue);
            (key, exporter(&reported.borrow(), queue, unhealthy_after, now))
        })
        .collect();
    let missing = || Condition::failed(State::Stopped, "it does not run".to_owned(), None);
    let pipelines: BTreeMap<String, PipelineHealth> = runs
        .pipelines
        .iter()
        .map(|(id, run)| {
            let receivers: BTreeMap<_, _> = run
                .receivers
                .iter()
                .map(|id| (id.clone(), receivers.get(id).cloned().unwrap_or_else(missing)))
                .collect();
            let exporters: BTreeMap<_, _> = run
                .exporters
                .iter()
                .map(|id| {
                    let condition = exporters.get(&(id.clone(), run.signal)).cloned();
                    (id.clone(), condition.unwrap_or_else(missing))
                })
                .collect();
            // A processor that panics ends the run, so those of a pipeline that runs work.
            let processors = run.processors.iter().map(|id| (id.clone(), Condition::ok(None))).collect();
            let overall = Condition::worst(receivers.values().chain(exporters.values()));
            (id.clone(), PipelineHealth { overall, receivers, processors, exporters })
        })
        .collect();
    let hanging = (!hanging.is_empty()).then(|| format!("it hangs: {}", hanging.join(", ")));
    let overall = match runs.phase {
        Phase::Starting => {
            Condition::failed(State::Starting, "not everything has started yet".to_owned(), None)
        }
        Phase::Stopping => Condition::failed(State::Stopping, "it is stopping".to_owned(), None),
        Phase::Running => match &hanging {
            Some(hanging) => Condition::failed(State::PermanentError, hanging.clone(), None),
            None => Condition::worst(pipelines.values().map(|pipeline| &pipeline.overall)),
        },
    };
    Health { phase: runs.phase, overall, hanging, pipelines }
}

fn receiver(run: &ReceiverRun, counts: Option<&ReceiverCounts>) -> Condition {
    let since = Some(run.since);
    let mut condition = match run.state {
        ReceiverState::Running => Condition::ok(since),
        ReceiverState::Finished => Condition { state: State::Stopped, ..Condition::ok(since) },
        ReceiverState::Stopped => {
            return Condition::failed(State::Stopped, "it should run and does not".to_owned(), since);
        }
    };
    let gauges = counts.iter().flat_map(|counts| &counts.gauges);
    let difference = gauges.filter(|(gauge, _)| gauge.name == AUDIT_DIFFERENCE).map(|(_, value)| *value);
    if let Some(segments) = difference.max().filter(|segments| *segments > 0) {
        condition.state = State::RecoverableError;
        condition.error =
            Some(format!("the audit differs from the kernel's RetransSegs by {segments} segments"));
        condition.is_healthy = false;
    }
    condition
}

fn exporter(
    reported: &Reported,
    queue: Option<&QueueCounts>,
    unhealthy_after: Duration,
    now: Instant,
) -> Condition {
    let lasts = |since: Instant| now.saturating_duration_since(since);
    let mut condition = Condition::reported(reported);
    let is_down = match condition.state {
        State::Ok if reported.has_tried && !reported.has_succeeded => {
            condition.state = State::Starting;
            condition.error = Some("the first request has no answer yet".to_owned());
            true
        }
        State::Ok => false,
        State::RecoverableError | State::PermanentError if reported.has_succeeded => {
            lasts(reported.since) >= unhealthy_after
        }
        _ => true,
    };
    let full_since = queue.and_then(|queue| queue.full_since);
    if let Some(since) = full_since {
        let seconds = Interval::from_secs(lasts(since).as_secs());
        let full = format!("the sending queue has been full for {seconds}");
        condition.error = Some(match condition.error.take() {
            Some(error) => format!("{error}; {full}"),
            None => full,
        });
        condition.since = condition.since.filter(|_| condition.state != State::Ok).or(Some(since));
        condition.state = condition.state.max(State::RecoverableError);
    }
    let is_full = full_since.is_some_and(|since| lasts(since) >= unhealthy_after);
    condition.is_ready = !is_down && !is_full;
    condition.is_healthy = condition.is_ready;
    condition
}
