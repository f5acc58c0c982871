//! What is healthy, on a virtual clock.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::{Health, State, judge};
use crate::books::{Gauge, QueueCounts, ReceiverCounts, Signal, Snapshot};
use crate::component::Produces;
use crate::running::{Phase, PipelineRun, ReceiverRun, ReceiverState, Runs};
use crate::status::{Status, StatusReporter};

static DIFFERENCE: Gauge = Gauge { name: "audit_difference", unit: "{segment}", description: "" };
const AFTER: Duration = Duration::from_secs(60);

/// A process with one receiver, and an exporter for each signal.
struct Process {
    runs: Runs,
    books: Snapshot,
    logs: StatusReporter,
    metrics: StatusReporter,
    hanging: Vec<String>,
}

fn process() -> Process {
    let (logs, metrics) = (StatusReporter::default(), StatusReporter::default());
    let pipeline = |signal: Signal| {
        let run = PipelineRun {
            signal,
            receivers: vec!["tcpretrans".to_owned()],
            processors: vec!["batch".to_owned()],
            exporters: vec!["otlp".to_owned()],
        };
        (signal.to_string(), run)
    };
    let receiver =
        ReceiverRun { produces: Produces::Records, state: ReceiverState::Running, since: Instant::now() };
    let exporter = |signal, status: &StatusReporter| (("otlp".to_owned(), signal), status.watch());
    let runs = Runs {
        phase: Phase::Running,
        receivers: [("tcpretrans".to_owned(), receiver)].into(),
        pipelines: Signal::ALL.map(pipeline).into(),
        exporters: [exporter(Signal::Logs, &logs), exporter(Signal::Metrics, &metrics)].into(),
    };
    Process { runs, books: Snapshot::default(), logs, metrics, hanging: Vec::new() }
}

impl Process {
    fn health(&self) -> Health {
        judge(&self.runs, &self.books, &self.hanging, AFTER, Instant::now())
    }

    /// Whether it is healthy, and whether it is ready.
    fn is(&self) -> (bool, bool) {
        let overall = self.health().overall;
        (overall.is_healthy, overall.is_ready)
    }

    fn of_logs(&self) -> (State, Option<String>) {
        let condition = self.health().pipelines["logs"].exporters["otlp"].clone();
        (condition.state, condition.error)
    }
}

fn refused() -> Status {
    Status::RecoverableError("connection refused".to_owned())
}

const BOTH: (bool, bool) = (true, true);
const NEITHER: (bool, bool) = (false, false);

#[tokio::test(start_paused = true)]
async fn it_is_ready_between_the_start_and_the_stop() {
    let mut process = process();
    for (phase, expected, state) in [
        (Phase::Starting, NEITHER, State::Starting),
        (Phase::Running, BOTH, State::Ok),
        (Phase::Stopping, NEITHER, State::Stopping),
    ] {
        process.runs.phase = phase;
        assert_eq!(process.is(), expected, "{phase:?}");
        assert_eq!(process.health().overall.state, state);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_process_stays_healthy() {
    let process = process();
    advance(100 * AFTER).await;
    assert_eq!(process.is(), BOTH);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_delivery_no_failure_is_forgiven() {
    let process = process();
    process.logs.trying();
    assert_eq!((process.is(), process.of_logs().0), (NEITHER, State::Starting));
    process.logs.report(refused());
    assert_eq!(process.is(), NEITHER);
    assert_eq!(process.of_logs(), (State::RecoverableError, Some("connection refused".to_owned())));
    process.logs.report(Status::Ok);
    assert_eq!(process.is(), BOTH);
}

#[tokio::test(start_paused = true)]
async fn later_failures_are_forgiven_for_a_time() {
    let process = process();
    process.logs.trying();
    process.logs.report(Status::Ok);
    advance(AFTER).await;
    process.logs.report(refused());
    advance(AFTER - Duration::from_millis(1)).await;
    process.logs.report(Status::PermanentError("unauthenticated".to_owned()));
    assert_eq!((process.is(), process.of_logs().0), (BOTH, State::PermanentError));
    advance(Duration::from_millis(1)).await;
    assert_eq!(process.is(), NEITHER);
    let health = process.health();
    assert_eq!(health.overall.state, State::PermanentError);
    assert!(!health.pipelines["logs"].overall.is_healthy);
    assert!(health.pipelines["metrics"].overall.is_healthy, "each pipeline by itself");
    process.logs.report(Status::Ok);
    assert_eq!(process.is(), BOTH);
}

#[tokio::test(start_paused = true)]
async fn the_signals_of_an_exporter_are_apart() {
    let process = process();
    process.logs.trying();
    process.logs.report(Status::Ok);
    process.metrics.trying();
    process.metrics.report(refused());
    assert_eq!(process.is(), NEITHER, "metrics were never delivered");
}

#[tokio::test(start_paused = true)]
async fn a_queue_may_be_full_for_a_time() {
    let mut process = process();
    process.logs.trying();
    process.logs.report(Status::Ok);
    let queue = QueueCounts { size: 9, capacity: 10, full_since: Some(Instant::now()) };
    process.books.queues = vec![(("otlp".to_owned(), Signal::Logs), queue)];
    advance(AFTER - Duration::from_millis(1)).await;
    assert_eq!(process.is(), BOTH);
    advance(Duration::from_millis(1)).await;
    assert_eq!(process.is(), NEITHER);
    let full = "the sending queue has been full for 1m";
    assert_eq!(process.of_logs(), (State::RecoverableError, Some(full.to_owned())));
    process.books.queues[0].1.full_since = None;
    assert_eq!(process.is(), BOTH);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_should_run_and_does_not() {
    let mut process = process();
    for (state, expected) in
        [(ReceiverState::Stopped, NEITHER), (ReceiverState::Finished, BOTH), (ReceiverState::Running, BOTH)]
    {
        process.runs.receivers.get_mut("tcpretrans").unwrap().state = state;
        assert_eq!(process.is(), expected, "{state:?}");
    }
    process.runs.receivers.clear();
    assert_eq!(process.is(), NEITHER, "it is not there");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_neither_healthy_nor_ready() {
    let mut process = process();
    process.hanging = vec!["receiver tcpretrans".to_owned(), "pipeline logs".to_owned()];
    assert_eq!(process.is(), NEITHER);
    let health = process.health();
    assert_eq!(health.overall.error.as_deref(), Some("it hangs: receiver tcpretrans, pipeline logs"));
    assert_eq!(health.hanging, health.overall.error);
    process.hanging.clear();
    assert_eq!((process.is(), process.health().hanging), (BOTH, None));
}

#[tokio::test(start_paused = true)]
async fn with_a_difference_it_delivers_what_can_not_be_trusted() {
    let mut process = process();
    let counts =
        |segments| ReceiverCounts { gauges: vec![(&DIFFERENCE, segments)], ..ReceiverCounts::default() };
    process.books.receivers = vec![("tcpretrans".to_owned(), counts(0))];
    assert_eq!(process.is(), BOTH);
    process.books.receivers = vec![("tcpretrans".to_owned(), counts(7))];
    assert_eq!(process.is(), (false, true));
    let error = process.health().overall.error.unwrap();
    assert_eq!(error, "the audit differs from the kernel's RetransSegs by 7 segments");
}

/// What keeps it from being ready is shown, not what only looks worse.
#[tokio::test(start_paused = true)]
async fn the_worst_is_what_keeps_it_from_being_ready() {
    let process = process();
    process.metrics.trying();
    process.metrics.report(Status::Ok);
    process.metrics.report(Status::PermanentError("too large".to_owned()));
    process.logs.trying();
    process.logs.report(refused());
    let overall = process.health().overall;
    assert_eq!(overall.error.as_deref(), Some("connection refused"));
    assert!(!overall.is_ready);
}
