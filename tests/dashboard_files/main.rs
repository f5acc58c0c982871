//! The files of the dashboards and the alerts: Grafana can import them, nothing overlaps, and promtool finds the rules right.
//! What their queries show is tested in tests/dashboards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod layout;
mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The dashboards, by file name.
fn dashboards() -> Vec<(String, Value)> {
    let folder = std::fs::read_dir(repository().join("deploy/grafana")).expect("deploy/grafana");
    let files = folder.map(|entry| entry.expect("an entry").path());
    let mut dashboards: Vec<_> = files
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("a file");
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    dashboards.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(dashboards.len() >= 2, "{dashboards:?}");
    dashboards
}

/// The panels of a dashboard, rows among them.
fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().expect("panels")
}

#[test]
fn the_alerts_are_right_and_do_what_their_tests_say() {
    let folder = repository().join("deploy/prometheus");
    promtool(&["check", "rules"], &folder.join("alerts.yaml"));
    promtool(&["test", "rules"], &folder.join("alerts_test.yaml"));
}

/// Each alert has a unit test in which it fires.
#[test]
fn each_alert_is_tested() {
    let text = |name: &str| {
        std::fs::read_to_string(repository().join("deploy/prometheus").join(name)).expect("a file")
    };
    let (alerts, tests) = (text("alerts.yaml"), text("alerts_test.yaml"));
    let alerts: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 5, "{alerts:?}");
    for alert in alerts {
        assert!(
            tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n")),
            "{alert} fires in no test"
        );
    }
}

fn promtool(arguments: &[&str], file: &Path) {
    let fetch = repository().join("tests/dashboards/fetch.sh");
    let fetched = Command::new(fetch).stdin(Stdio::null()).output().expect("fetch.sh");
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let folder = PathBuf::from(String::from_utf8(fetched.stdout).expect("UTF-8").trim_end());
    let output = Command::new(folder.join("promtool")).args(arguments).arg(file).output().expect("promtool");
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && text.contains("SUCCESS"), "{text}");
}
