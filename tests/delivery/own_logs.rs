//! The process's own log by OTLP: it arrives with its severity, its fields and its resource; and sending it makes no log that
//! has to be sent.

use std::time::Duration;

use otlp_backend::{Answer, Backend};
use rustix::process::Signal;
use serde_json::Value;

use crate::e2e::agent::{Agent, log};
use crate::run::endless;

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// An agent that goes on, whose pipeline sends to `url`.
fn agent(url: &str, level: &str, more: &str) -> Agent {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = endless(&folder);
    let configuration = format!(
        "receivers: {{ replay: {{ file: '{}', speed: realtime }} }}
exporters: {{ otlp: {{ endpoint: '{url}' }} }}
service:
  shutdown_timeout: 1s
  telemetry: {{ resource: {{ deployment.environment.name: test }}{more} }}
  pipelines: {{ logs: {{ exporters: [otlp] }} }}",
        recording.display()
    );
    let mut agent = Agent::replaying_under("RUST_LOG", level, &configuration);
    agent.wait_until_said("ready");
    agent
}

#[test]
fn it_arrives_with_severity_fields_and_resource() {
    let backend = Backend::start();
    let mut agent = agent(
        NOWHERE,
        "info",
        &format!(", logs: {{ otlp: {{ endpoint: '{}', interval: 50ms }} }}", backend.url()),
    );
    agent.wait_until_said("a request failed");
    agent.0.signal(Signal::TERM);
    assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));

    let records = backend.others();
    let of = |text: &str| -> (&Value, &Value) {
        let is_it = |(_, record): &&(Value, Value)| {
            record["body"]["stringValue"].as_str().is_some_and(|body| body.starts_with(text))
        };
        let (resource, record) =
            records.iter().find(is_it).unwrap_or_else(|| panic!("no {text} in {records:#?}"));
        (resource, record)
    };
    let field = |of: &Value, name: &str| {
        let all = of["attributes"].as_array().expect("attributes");
        let found = all.iter().find(|attribute| attribute["key"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {of}"))["value"].clone()
    };
    let (resource, ready) = of("ready");
    assert_eq!(ready["severityText"], "INFO");
    assert!(field(ready, "elapsed_ms")["intValue"].is_string(), "{ready}");
    assert_eq!(field(resource, "service.name")["stringValue"], "otel-tcpretrans");
    assert_eq!(field(resource, "deployment.environment.name")["stringValue"], "test");
    let (_, failed) = of("a request failed");
    assert_eq!(failed["severityText"], "WARN");
    assert_eq!(field(failed, "exporter")["stringValue"], "otlp");
    let (_, books) = of("books");
    assert!(field(books, "receiver")["stringValue"].is_string(), "the last lines are sent, too: {books}");
}

/// A backend that refuses, while the transport logs each frame.
#[test]
fn its_failures_do_not_feed_it() {
    let backend = Backend::start();
    backend.then(Answer::unavailable());
    let url = backend.url();
    let mut agent =
        agent(NOWHERE, "trace", &format!(", logs: {{ otlp: {{ endpoint: '{url}', interval: 20ms }} }}"));
    agent.wait_until_said("can't send the process's own log");
    // The exporter's retries log a line now and then.
    agent.0.wait_until("more requests", |_| backend.requests() > 2);
    let before = backend.requests();
    agent.0.signal(Signal::HUP); // a line that has to be sent
    agent.0.wait_until("the next request", |_| backend.requests() > before);
    assert_eq!(agent.times_said("can't send the process's own log"), 1);
    backend.then(Answer::Accept);
    agent.0.signal(Signal::HUP);
    agent.wait_until_said("the process's own log is sent again");
    agent.0.signal(Signal::TERM);
    assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));
    let own =
        |line: &Value| line["target"].as_str().is_some_and(|target| target.starts_with("otel_tcpretrans"));
    let (lines, sent) = (log(&agent.0).iter().filter(|line| own(line)).count(), backend.others());
    assert!(!sent.is_empty() && sent.len() <= lines, "{} records of {lines} lines", sent.len());
    assert!(
        !sent.iter().any(|(_, record)| record["body"]["stringValue"]
            .as_str()
            .unwrap_or_default()
            .contains("own log"))
    );
    assert!(backend.requests() < 1000, "{} requests", backend.requests());
}

#[test]
fn it_is_sent_only_on_request() {
    let backend = Backend::start();
    let mut agent = agent(&backend.url(), "info", "");
    agent.0.wait_until("the record", |_| backend.records() > 0);
    agent.0.signal(Signal::TERM);
    assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));
    assert_eq!(backend.others(), vec![]);
}
