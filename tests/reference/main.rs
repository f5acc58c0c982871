//! The pages in `docs/reference` are what the code says. The real binary sends nothing that is not in them, and has no key
//! that is not in them.
//!
//! `make reference` writes the pages. It runs this test with `OTEL_TCPRETRANS_UPDATE=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod configuration;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod instruments;
mod keys;
mod markdown;
mod telemetry;

use std::collections::BTreeSet;
use std::fs;

use e2e::agent::Agent;
use e2e::harness::repository;
use serde_json::Value;

#[test]
fn the_page_of_telemetry_is_what_the_code_says() {
    compare("docs/reference/telemetry.md", &telemetry::page());
}

#[test]
fn the_page_of_keys_is_what_the_code_says() {
    compare("docs/reference/configuration.md", &configuration::page());
}

fn compare(page: &str, made: &str) {
    let file = repository().join(page);
    if std::env::var_os("OTEL_TCPRETRANS_UPDATE").is_some() {
        fs::write(&file, made).expect("writing the page");
    }
    let kept = fs::read_to_string(&file).expect(page);
    assert!(kept == made, "{page} is not what the code says: run `make reference`");
}

/// Each metric has a description and a sensible unit.
#[test]
fn each_instrument_says_something() {
    for (name, instrument) in instruments::all() {
        assert!(instrument.description.len() > 10, "{name}: {instrument:?}");
        assert!(!instrument.description.contains("A fact about"), "{name}");
    }
}

/// A recording through the real binary, with all attributes that a metric can have.
#[test]
fn a_replay_sends_nothing_else() {
    let page = telemetry::page();
    let added: Vec<_> = page
        .lines()
        .filter(|line| line.ends_with("| added | receivers |"))
        .map(|line| line.split('`').nth(1).expect("a name"))
        .collect();
    assert!(added.len() > 5, "{added:?}");
    let mut agent = Agent::replaying(&format!(
        "receivers: {{ replay: {{ file: '{}' }} }}
processors: {{ aggregate: {{ rtt: true, attributes: [{}] }} }}
exporters: {{ file: {{ path: sent.json }} }}
service: {{ pipelines: {{ metrics: {{ exporters: [file] }}, logs: {{ exporters: [file] }} }} }}",
        repository().join("tests/replay/retransmits.otr").display(),
        added.join(", ")
    ));
    agent.ended().assert_nothing_lost();
    let mut sent = BTreeSet::new();
    for line in agent.0.read("sent.json").lines() {
        let request: Value = serde_json::from_str(line).expect("JSON");
        collect(&request, &mut sent);
    }
    assert!(sent.len() > 20, "{sent:#?}");
    for cells in sent {
        let is_in = page.lines().any(|line| cells.iter().all(|cell| line.contains(cell.as_str())));
        assert!(is_in, "not in docs/reference/telemetry.md: {cells:?}");
    }
}

/// What a row of the page has to contain for each metric, attribute and event in a request.
fn collect(request: &Value, sent: &mut BTreeSet<Vec<String>>) {
    let many = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let code = |value: &Value| format!("`{}`", value.as_str().expect("text"));
    let mut attributes = Vec::new();
    for scope in many(request, "resourceMetrics").iter().flat_map(|resource| many(resource, "scopeMetrics")) {
        for metric in many(&scope, "metrics") {
            sent.insert(vec![code(&metric["name"]), code(&metric["unit"])]);
            attributes.extend(
                many(&metric["sum"], "dataPoints").iter().flat_map(|point| many(point, "attributes")),
            );
        }
    }
    for scope in many(request, "resourceLogs").iter().flat_map(|resource| many(resource, "scopeLogs")) {
        for record in many(&scope, "logRecords") {
            sent.insert(vec![format!("| {} |", code(&record["eventName"]))]);
            attributes.extend(many(&record, "attributes"));
        }
    }
    for attribute in attributes {
        let kind =
            attribute["value"].as_object().and_then(|value| value.keys().next().cloned()).expect("a value");
        let kind = kind.trim_end_matches("Value").to_owned();
        sent.insert(vec![format!("| {} | {kind} |", code(&attribute["key"]))]);
    }
}
