//! Reloads of an exporter whose backend is away.

use std::time::Duration;

use otlp_backend::Backend;
use rustix::process::Signal;

use crate::run::{Run, ended, slow_recording};

/// A changed exporter takes over the queue of its predecessor, which still has the store when it starts.
#[test]
fn a_reload_hands_the_queue_over() {
    let folder = tempfile::tempdir().unwrap();
    let records = slow_recording(&folder, 0, 30_000, Duration::from_micros(100));
    let storage = folder.path().join("queue");
    let (mut away, backend) = (Backend::start(), Backend::start());
    let (old, new) = (away.url(), backend.url());
    away.stop();
    let run = Run { receiver: ", speed: realtime", ..Run::stored(&records, "otlp", &old, &storage) };
    let mut agent = run.start();
    agent.wait_until_said("will be retried");
    agent.reload(&Run { url: &new, ..run }.configuration());
    let books = ended(agent);
    assert_eq!(backend.first_missing(0..30_000), None, "{books:#?}");
    assert_eq!(books.exporter("logs", "otlp", "delivered"), 30_000);
    let (stored, restored) =
        (books.exporter("logs", "otlp", "stored"), books.exporter("logs", "otlp", "restored"));
    assert_eq!(stored, restored);
}

/// The old exporter keeps what it has in memory until the deadline of the reload. Signals do not wait for that.
#[test]
fn signals_are_served_while_the_parts_of_before_are_drained() {
    let folder = tempfile::tempdir().unwrap();
    let records = slow_recording(&folder, 0, 100_000, Duration::from_millis(5));
    let (mut away, backend) = (Backend::start(), Backend::start());
    let (old, new) = (away.url(), backend.url());
    away.stop();
    let run = Run {
        exporter: "retry_on_failure: { initial_interval: 20ms, max_interval: 100ms }",
        service: "shutdown_timeout: 10m,",
        receiver: ", speed: realtime",
        ..Run::new(&records, "otlp", &old)
    };
    let mut agent = run.start();
    agent.wait_until_said("will be retried");
    agent.reload(&Run { url: &new, ..run }.configuration());
    agent.wait_until_said("reloaded");
    agent.0.wait_until("records", |_| backend.records() > 100);
    // A reload waits for the drain, a stop does not.
    agent.0.signal(Signal::HUP);
    agent.0.signal(Signal::TERM);
    agent.wait_until_said("stopping");
    assert_eq!(agent.times_said("reloaded"), 1);
    agent.0.signal(Signal::TERM);
    assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(1));
}
