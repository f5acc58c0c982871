//! How the agent ends, and what does not end it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::e2e::agent::{Agent, log};
use crate::e2e::books::Books;
use crate::e2e::debug_output::has_counted;
use crate::e2e::support::namespace::isolated;
use crate::e2e::support::traffic::{listen, loopback};
use crate::e2e::traffic::lossy_transfers;

/// Holds everything back, so that only a drain brings it out.
const HELD_BACK: &str = "
processors:
  aggregate: { interval: 10m }
  batch: { timeout: 10m }
service:
  pipelines:
    metrics: { processors: [aggregate, batch] }
    logs: { processors: [batch] }
";

pub fn drains_on(signal: Signal) {
    isolated(move || {
        let agent = Agent::start(HELD_BACK);
        let traffic = lossy_transfers(8, &[]);
        assert_eq!(agent.0.stdout(), "", "something was not held back");
        let finished = agent.finish_by(signal);
        finished.books.assert_nothing_lost();
        finished.printed.assert_counted(&finished.books, traffic.retrans_segs, &traffic.connections);
    });
}

/// An agent whose backend accepts connections and never answers. The agent has log records and metric points for it.
fn hanging(shutdown_timeout: &str) -> (Agent, impl Sized) {
    let (backend, port) = listen(loopback(false));
    let mut agent = Agent::start(&format!(
        "
exporters: {{ otlp: {{ endpoint: 'http://127.0.0.1:{port}', timeout: 5m }} }}
service:
  shutdown_timeout: {shutdown_timeout}
  pipelines:
    metrics: {{ exporters: [debug, otlp] }}
    logs: {{ exporters: [debug, otlp] }}
"
    ));
    lossy_transfers(4, &[port]);
    agent.0.wait_until("a report", |agent| has_counted(&agent.stdout()));
    (agent, backend)
}

pub fn a_second_signal_ends_a_hanging_drain() {
    isolated(|| {
        let (mut agent, _backend) = hanging("10m");
        agent.0.signal(Signal::TERM);
        agent.wait_until_said("draining");
        agent.0.signal(Signal::INT);
        assert_eq!(agent.0.exit_code(Duration::from_secs(5)), Some(1));
        let log = log(&agent.0);
        let last = log.last().expect("a message");
        assert_eq!(last["level"], "ERROR");
        assert!(last["message"].as_str().is_some_and(|text| text.contains("a second signal")), "{last}");
    });
}

/// Without a second signal a drain ends at its deadline, and what the backend did not take is in the books.
pub fn a_drain_ends_at_its_deadline() {
    isolated(|| {
        let (mut agent, _backend) = hanging("2s");
        let begun = Instant::now();
        let books = agent.stop(Signal::TERM);
        let took = begun.elapsed();
        assert!(Duration::from_secs(2) <= took && took < Duration::from_secs(6), "{took:?}");
        for pipeline in ["logs", "metrics"] {
            let of = |exporter, name| books.exporter(pipeline, exporter, name);
            assert!(of("debug", "delivered") > 0, "{books:?}");
            assert_eq!(of("otlp", "delivered"), 0, "{books:?}");
            assert_eq!(of("otlp", "accepted"), of("debug", "delivered"), "{books:?}");
            assert_eq!(books.dropped(pipeline, "otlp"), of("otlp", "accepted"), "{books:?}");
        }
    });
}

pub fn sighup_is_ignored_in_a_drain() {
    isolated(|| {
        let (mut agent, _backend) = hanging("2s");
        agent.0.signal(Signal::TERM);
        agent.wait_until_said("draining");
        agent.0.signal(Signal::HUP);
        agent.ended();
        assert_eq!(agent.times_said("reload"), 0);
    });
}

/// `otel-tcpretrans run … | head -n 1`
pub fn a_closed_stdout_is_survived() {
    isolated(|| {
        let mut agent = Agent::start_piped("");
        let stdout = agent.0.child().stdout.take().expect("a pipe");
        let head = Command::new("head")
            .args(["-n", "1"])
            .stdin(stdout)
            .stdout(Stdio::piped())
            .spawn()
            .expect("head");
        lossy_transfers(4, &[]);
        let line = String::from_utf8(head.wait_with_output().expect("head").stdout).expect("UTF-8");
        assert_eq!(line.lines().count(), 1, "{line}");
        lossy_transfers(4, &[]);
        agent.wait_until_said("can't write the debug output");
        assert!(agent.0.is_running());

        let books: Books = agent.stop(Signal::TERM);
        for pipeline in ["logs", "metrics"] {
            assert!(books.dropped(pipeline, "debug") > 0, "{pipeline}: {books:?}");
            assert_eq!(books.dropped_by_pipeline(pipeline), 0, "{books:?}");
        }
        let delivered = books.exporter("logs", "debug", "delivered");
        assert_eq!(delivered + books.dropped("logs", "debug"), books.received(), "{books:?}");
    });
}
