//! The page of all keys: each component with its keys, their defaults, and an example.

use std::collections::BTreeSet;
use std::fs;

use serde_yaml::{Mapping, Value};

use super::e2e::harness::{Case, repository};
use super::keys::{Declared, Key};
use super::markdown::{code, heads, row, section, text};

const HEAD: &str = "\
# All keys of the configuration

<!-- Made from the code by `make reference`. Do not edit it: a test compares it with the code. -->

Each component with its keys, their defaults, and an example. [Configuration](../configuration.md) says how a configuration is
put together.
";

/// What the columns mean.
const LEGEND: &str = "\
In a key, `[]` stands for an item of a list, and `ID` for a name in a map. A duration is written `200ms`, `5s` or `1m`, a size \
`64MiB`. An attribute is one of [Telemetry](telemetry.md#attributes). A default that is empty is none: its meaning says what \
holds then.";

/// Where a component's configuration is declared: section, type, file, struct.
const COMPONENTS: [(&str, &str, &str, &str); 17] = [
    ("receivers", "tcpretrans", "crates/source-tcpretrans/src/config.rs", "Config"),
    ("receivers", "replay", "crates/source-tcpretrans/src/replay/config.rs", "Config"),
    ("receivers", "tcp_stats", "crates/source-tcpretrans/src/tcp_stats/config.rs", "Config"),
    ("processors", "filter", "crates/pipeline/src/processors/filter/mod.rs", "FilterConfig"),
    ("processors", "cgroup", "crates/pipeline/src/processors/cgroup/config.rs", "CgroupConfig"),
    ("processors", "networks", "crates/pipeline/src/processors/networks/config.rs", "NetworksConfig"),
    (
        "processors",
        "k8s_attributes",
        "crates/pipeline/src/processors/k8s_attributes/config.rs",
        "K8sAttributesConfig",
    ),
    ("processors", "aggregate", "crates/pipeline/src/processors/aggregate/config.rs", "AggregateConfig"),
    ("processors", "batch", "crates/pipeline/src/processors/batch.rs", "BatchConfig"),
    ("exporters", "otlp", "crates/exporters/src/otlp/config.rs", "Config"),
    ("exporters", "otlp_http", "crates/exporters/src/otlp/config.rs", "Config"),
    ("exporters", "prometheus", "crates/exporters/src/prometheus/config.rs", "Config"),
    ("exporters", "file", "crates/exporters/src/file/config.rs", "Config"),
    ("exporters", "debug", "crates/exporters/src/debug/config.rs", "Config"),
    ("extensions", "file_storage", "crates/pipeline/src/storage/config.rs", "Config"),
    ("extensions", "health_check", "crates/exporters/src/health_check/config.rs", "Config"),
    ("extensions", "zpages", "crates/exporters/src/zpages/config.rs", "Config"),
];

/// The enum whose variants say what the components of a section are, and its file.
fn listed_in(section: &str) -> (&'static str, &'static str) {
    let of_root = "src/components.rs";
    match section {
        "receivers" => (of_root, "ReceiverConfig"),
        "processors" => ("crates/pipeline/src/processors/list.rs", "ProcessorConfig"),
        "exporters" => (of_root, "ExporterConfig"),
        "extensions" => (of_root, "ExtensionConfig"),
        other => panic!("there is no section {other}"),
    }
}

/// A configuration with each component, and with nothing in it that has a default.
const LEAST: &str = "
receivers: { tcpretrans: , replay: { file: loss.otr }, tcp_stats: }
processors:
  filter: { exclude: [network.type == ipv6] }
  cgroup:
  networks: { networks: [{ cidr: 10.0.0.0/8, attributes: { name: office } }] }
  k8s_attributes:
  aggregate:
  batch:
exporters: { otlp: , otlp_http: , prometheus: { endpoint: '127.0.0.1:9464' }, file: { path: sent.json }, debug: }
extensions: { file_storage: , health_check: , zpages: }
service:
  pipelines: { logs: { receivers: [tcpretrans], exporters: [debug] } }
";

/// The whole page.
pub fn page() -> String {
    let declared = Declared::read();
    let defaults = Defaults::read();
    let listing = listing();
    let mut page = HEAD.to_owned();
    text(&mut page, LEGEND);
    let mut current = "";
    for (section_name, name, file, of) in COMPONENTS {
        if section_name != current {
            current = section_name;
            let title = section_name[..1].to_uppercase() + &section_name[1..];
            section(&mut page, &title, about(section_name));
        }
        let (list, kinds) = listed_in(section_name);
        page.push_str(&format!("\n### {name}\n\n{}\n", declared.variant(list, kinds, name)));
        text(&mut page, &listing.about(section_name, name));
        table(&mut page, &keys_of(&declared, name, file, of), &defaults, &[section_name, name]);
        let example = repository().join("tests/reference/examples").join(format!("{name}.yaml"));
        let example = fs::read_to_string(&example).unwrap_or_else(|_| panic!("no {}", example.display()));
        page.push_str(&format!("\n```yaml\n{example}```\n"));
    }
    section(&mut page, "Service", about("service"));
    table(&mut page, &declared.keys("src/config/model.rs", "Service"), &defaults, &["service"]);
    page
}

fn about(section: &str) -> &'static str {
    match section {
        "receivers" => "Where records come from.",
        "processors" => "What happens to them on the way, in the order in which a pipeline names them.",
        "exporters" => "Where they go.",
        "extensions" => {
            "What is beside the pipelines. An extension is started if `service.extensions` names it."
        }
        "service" => "The pipelines, and the process itself.",
        other => panic!("there is no section {other}"),
    }
}

/// The keys of a component. `otlp` and `otlp_http` share a struct, in which some keys say that they are for `otlp_http`.
fn keys_of(declared: &Declared, name: &str, file: &str, of: &str) -> Vec<Key> {
    let mut keys = declared.keys(file, of);
    const HTTP_ONLY: &str = "`otlp_http`: ";
    if name == "otlp" {
        keys.retain(|key| !key.text.starts_with(HTTP_ONLY));
    }
    for key in &mut keys {
        if let Some(rest) = key.text.strip_prefix(HTTP_ONLY) {
            key.text = rest[..1].to_uppercase() + &rest[1..];
        }
    }
    keys
}

fn table(page: &mut String, keys: &[Key], defaults: &Defaults, place: &[&str]) {
    heads(page, &["key", "value", "default", "meaning"]);
    for key in keys {
        assert!(!key.text.is_empty(), "{place:?}: {} has no doc comment", key.path);
        row(page, &[&code(&key.path), &key.kind, &defaults.of(place, &key.path), &key.text]);
    }
}

/// What `print-config` fills in.
struct Defaults {
    filled_in: Value,
    given: Value,
}

impl Defaults {
    fn read() -> Defaults {
        let outcome = Case::new("print-config", LEAST).run();
        let parsed = |text: &str| serde_yaml::from_str(text).expect("YAML");
        Defaults { filled_in: parsed(&outcome.stdout), given: parsed(LEAST) }
    }

    /// The default of a key as code; empty if it has none.
    fn of(&self, place: &[&str], path: &str) -> String {
        let look = |value: &Value| {
            let mut steps = place.iter().copied().chain(path.split('.'));
            steps.try_fold(value.clone(), |value, step| value.get(step).cloned())
        };
        match (look(&self.given), look(&self.filled_in)) {
            (Some(Value::Null) | None, Some(value)) => shown(&value),
            _ => String::new(),
        }
    }
}

/// A scalar or a list in one line. A section has its own rows.
fn shown(value: &Value) -> String {
    match value {
        Value::Mapping(map) if map.is_empty() => code("{}"),
        Value::Mapping(_) => String::new(),
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => String::new(),
        Value::String(text) => code(text),
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            code(&format!("[{}]", items.join(", ")))
        }
        other => code(serde_yaml::to_string(other).expect("YAML").trim()),
    }
}

/// What `components` prints.
struct Listing(Mapping);

fn listing() -> Listing {
    let outcome = Case::bare(&["components"]).run();
    Listing(serde_yaml::from_str(&outcome.stdout).expect("YAML"))
}

impl Listing {
    fn of(&self, section: &str) -> &[Value] {
        self.0.get(section).and_then(Value::as_sequence).map_or(&[], Vec::as_slice)
    }

    /// The stability of a component and its signals.
    fn about(&self, section: &str, name: &str) -> String {
        let entry = self.of(section).iter().find(|entry| entry["name"] == name);
        let entry = entry.unwrap_or_else(|| panic!("`components` does not list {name}"));
        let stability = entry["stability"].as_mapping().expect("a map");
        let each = stability.iter().map(|(of, level)| {
            let [of, level] = [of, level].map(|word| word.as_str().expect("a word"));
            format!("{of} {level}")
        });
        let stability = format!("Stability: {}.", each.collect::<Vec<_>>().join(", "));
        match entry.get("aliases").and_then(Value::as_sequence) {
            None => stability,
            Some(aliases) => {
                let aliases: Vec<_> = aliases.iter().filter_map(Value::as_str).map(code).collect();
                format!("{stability} Another name for it: {}.", aliases.join(", "))
            }
        }
    }
}

#[test]
fn the_page_has_each_component_and_each_key() {
    let listing = listing();
    for section in ["receivers", "processors", "exporters", "extensions"] {
        let listed: BTreeSet<_> =
            listing.of(section).iter().map(|entry| entry["name"].as_str().expect("a name")).collect();
        let shown: BTreeSet<_> = COMPONENTS.iter().filter(|of| of.0 == section).map(|of| of.1).collect();
        assert_eq!(listed, shown, "{section}");
    }
    let declared = Declared::read();
    let filled_in = Defaults::read().filled_in;
    for (section, name, file, of) in COMPONENTS {
        let known: BTreeSet<_> = keys_of(&declared, name, file, of).into_iter().map(|key| key.path).collect();
        has_all(&known, "", &filled_in[section][name]);
    }
    let known = declared.keys("src/config/model.rs", "Service").into_iter().map(|key| key.path).collect();
    let mut service = filled_in["service"].clone();
    service["pipelines"] = Value::Null; // whose keys are ids
    has_all(&known, "", &service);
}

/// Each key that the program fills in is one that the sources declare.
fn has_all(known: &BTreeSet<String>, prefix: &str, value: &Value) {
    for (key, below) in value.as_mapping().into_iter().flatten() {
        let path = format!("{prefix}{}", key.as_str().expect("a key"));
        assert!(known.contains(&path), "{path} is not in {known:?}");
        has_all(known, &format!("{path}."), below);
    }
}
