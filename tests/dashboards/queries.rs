//! The queries of the dashboards' panels, with the variables as Grafana would fill them in.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::api::Api;
use crate::e2e::harness::repository;

/// A query of a panel.
pub struct Query {
    /// Dashboard, panel and letter.
    pub place: String,
    pub text: String,
}

/// All queries of all dashboards, for a server whose hosts are told apart by the label `host_label`. The variables have their
/// defaults; `All` is what Grafana makes of it.
pub fn all(api: Api, host_label: &str) -> Vec<Query> {
    let folder = repository().join("deploy/grafana");
    let files = fs::read_dir(folder).expect("deploy/grafana").map(|entry| entry.expect("entry").path());
    files.flat_map(|file| of_dashboard(&fs::read_to_string(file).expect("a file"), api, host_label)).collect()
}

fn of_dashboard(text: &str, api: Api, host_label: &str) -> Vec<Query> {
    let dashboard: Value = serde_json::from_str(text).expect("JSON");
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in [("__rate_interval", "15s"), ("__range", "1m")] {
        values.insert(name.to_owned(), value.to_owned());
    }
    for variable in dashboard["templating"]["list"].as_array().expect("variables") {
        let name = variable["name"].as_str().expect("a name");
        let value = match (name, variable["type"].as_str()) {
            ("host_label", _) => host_label.to_owned(),
            (_, Some("datasource")) => continue,
            (_, Some("query")) => hosts(variable, api, &values),
            _ => default(&variable["current"]["value"]),
        };
        values.insert(name.to_owned(), value);
    }
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let queries = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| Query {
            place: format!(
                "{}, {}, {}",
                dashboard["title"].as_str().unwrap_or_default(),
                panel["title"].as_str().unwrap_or_default(),
                target["refId"].as_str().unwrap_or_default()
            ),
            text: filled_in(target["expr"].as_str().expect("a query"), &values),
        })
    });
    queries.collect()
}

/// A default: one value, or several with commas, as `:csv` makes them.
fn default(value: &Value) -> String {
    let several =
        value.as_array().map(|values| values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","));
    several.unwrap_or_else(|| value.as_str().expect("a default").to_owned())
}

/// What a variable of `label_values(SELECTOR, LABEL)` is with `All`.
fn hosts(variable: &Value, api: Api, values: &BTreeMap<String, String>) -> String {
    let query = filled_in(variable["query"].as_str().expect("a query"), values);
    let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).expect(&query);
    let (selector, label) = inner.rsplit_once(", ").expect("a selector and a label");
    let found = api.label_values(label, selector);
    assert!(!found.is_empty(), "{}: no host by {query}", api.name);
    match variable["allValue"].as_str() {
        Some(all) => all.to_owned(),
        None => found.iter().map(|host| host.replace('.', "\\\\.")).collect::<Vec<_>>().join("|"),
    }
}

/// Puts values in place of `$name` and `${name:csv}`.
fn filled_in(query: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, end) = match after.strip_prefix('{') {
            Some(braced) => {
                let length = braced.find('}').expect("a closing brace");
                (braced[..length].trim_end_matches(":csv"), length + 2)
            }
            None => {
                let is_end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
                let length = after.find(is_end).unwrap_or(after.len());
                (&after[..length], length)
            }
        };
        out.push_str(values.get(name).unwrap_or_else(|| panic!("no variable {name} in {query}")));
        rest = &after[end..];
    }
    out + rest
}
