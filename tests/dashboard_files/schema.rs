//! Grafana's own schemas. They are not part of this project: they lie in a folder beside the checkout, or where
//! `GRAFANA_SCHEMA` says.

use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{dashboards, panels, repository};

#[test]
fn the_dashboards_fit_grafanas_schema() {
    let folder = std::env::var_os("GRAFANA_SCHEMA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| repository().join("../shared/grafana-schema"));
    if !folder.join("dashboard.jsonschema.json").exists() {
        let missing = format!(
            "Grafana's schemas are not in {}; GRAFANA_SCHEMA can name another folder",
            folder.display()
        );
        // The gate has to check what can be checked.
        assert!(std::env::var_os("OTEL_TCPRETRANS_REQUIRE_PRIVILEGED").is_none(), "{missing}");
        return println!("left out: {missing}");
    }
    let schemas = Schemas { folder };
    let (whole, query) = (schemas.of("dashboard", None), schemas.of("prometheus", None));
    for (name, dashboard) in dashboards() {
        assert_fits(&whole, &dashboard, &name);
        for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
            let place = format!("{name}: {}", panel["title"]);
            let kind = panel["type"].as_str().expect("a type");
            assert_fits(&schemas.of(kind, Some("Options")), &panel["options"], &place);
            let custom = match kind {
                "timeseries" => Some("GraphFieldConfig"),
                "table" => Some("TableFieldOptions"),
                _ => None,
            };
            if custom.is_some() {
                assert_fits(&schemas.of(kind, custom), &panel["fieldConfig"]["defaults"]["custom"], &place);
            }
            for target in panel["targets"].as_array().expect("queries") {
                assert_fits(&query, target, &place);
            }
        }
    }
    // The check can fail.
    let mut wrong = dashboards()[0].1.clone();
    wrong["panels"][1]["gridPos"]["w"] = json!("wide");
    assert!(!whole.is_valid(&wrong));
}

struct Schemas {
    folder: PathBuf,
}

impl Schemas {
    /// The schema of a file, or one of its definitions.
    fn of(&self, name: &str, definition: Option<&str>) -> Validator {
        let text = std::fs::read_to_string(self.folder.join(format!("{name}.jsonschema.json"))).expect(name);
        let mut schema: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(definition) = definition {
            schema["$ref"] = json!(format!("#/definitions/{definition}"));
        }
        // In Grafana these may be of any type: the name of a field, a unit. The schemas say `object`.
        for (definition, key) in [("MatcherConfig", "options"), ("DynamicConfigValue", "value")] {
            if let Some(property) = schema.pointer_mut(&format!("/definitions/{definition}/properties/{key}"))
            {
                *property = json!({});
            }
        }
        jsonschema::validator_for(&schema).expect("a schema")
    }
}

fn assert_fits(schema: &Validator, value: &Value, place: &str) {
    let errors: Vec<_> =
        schema.iter_errors(value).map(|error| format!("{}: {error:.300}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place}:\n{}", errors.join("\n"));
}
