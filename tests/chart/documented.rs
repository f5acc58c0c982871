//! The chart's README says which values there are.

use std::collections::BTreeMap;
use std::fs;

use serde_yaml::Value;

use crate::tools::chart;

/// Values that are one row, whatever is in them.
const WHOLE: [&str; 1] = ["config.content"];

/// Each value that can be set, with its default as the README writes it.
fn values(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Mapping(members) if !members.is_empty() && !WHOLE.contains(&path) => {
            for (key, value) in members {
                let key = key.as_str().expect("a key");
                let path = if path.is_empty() {
                    key.to_owned()
                } else {
                    format!("{path}.{}", key.replace('.', "\\."))
                };
                values(&path, value, found);
            }
        }
        _ if WHOLE.contains(&path) => {
            found.insert(path.to_owned(), "see values.yaml".to_owned());
        }
        _ => {
            found.insert(path.to_owned(), format!("`{}`", serde_json::to_string(value).expect("JSON")));
        }
    }
}

#[test]
fn the_table_of_values_is_complete_and_has_the_right_defaults() {
    let text = fs::read_to_string(chart().join("values.yaml")).expect("values.yaml");
    let mut expected = BTreeMap::new();
    values("", &serde_yaml::from_str(&text).expect("YAML"), &mut expected);

    let readme = fs::read_to_string(chart().join("README.md")).expect("README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let mut shown = BTreeMap::new();
    for row in rows {
        let mut cells = row.splitn(3, " | ");
        let mut next = || cells.next().unwrap_or_default().to_owned();
        let (key, default, meaning) = (next(), next(), next());
        assert!(!meaning.is_empty(), "{row}");
        let twice = shown.insert(key.trim_end_matches('`').to_owned(), default);
        assert_eq!(twice, None, "{row}");
    }
    assert_eq!(shown, expected);
}
