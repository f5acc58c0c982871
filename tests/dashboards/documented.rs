//! What the pages of the running agent show is in `docs/reference/telemetry.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::api::Api;
use super::backends::PAGES;
use crate::e2e::harness::repository;

/// Labels of the exporter `prometheus` that are no attributes of a point: which process and which code it is from.
const TARGET: [&str; 4] = ["job", "instance", "otel_scope_name", "otel_scope_version"];

pub fn assert_documented() {
    let page = repository().join("docs/reference/telemetry.md");
    let page = std::fs::read_to_string(page).expect("docs/reference/telemetry.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let row_of = |name: &str| rows.iter().find(|row| row.contains(&format!("`{name}`")));
    let mut shown = 0;
    // The other two pages have the names of other agents.
    for port in &PAGES[..2] {
        for (name, labels) in series(*port) {
            if name == "target_info" {
                continue;
            }
            let row = row_of(&name).unwrap_or_else(|| panic!("{name} is not in the reference"));
            let is_own = name.starts_with("otelcol_");
            for label in labels {
                // An attribute is a label with underscores.
                let is_attribute = || rows.iter().any(|row| first_cell(row).replace('.', "_") == label);
                let is_known = match is_own {
                    true => row.contains(&format!("`{label}`")),
                    false => TARGET.contains(&&*label) || is_attribute(),
                };
                assert!(is_known, "the label {label} of {name} is not in the reference");
            }
            shown += 1;
        }
    }
    assert!(shown > 40, "{shown}");
}

fn first_cell(row: &str) -> &str {
    row.split('`').nth(1).expect("a name")
}

/// The names on a page, each with its labels.
fn series(port: u16) -> BTreeMap<String, BTreeSet<String>> {
    let mut series: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let page = Api { name: "the agent", port }.text("/metrics");
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().expect("a name");
        let labels = series.entry(name.to_owned()).or_default();
        let inner =
            line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(inner, _)| inner);
        labels.extend(inner.split("\",").filter_map(|pair| Some(pair.split_once("=\"")?.0.to_owned())));
    }
    series
}
