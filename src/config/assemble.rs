//! Turns the merged values into typed sections, one component at a time.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};
use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::resource::{Instance, Resource};
use otel_tcpretrans_pipeline::config::fit;

use super::diagnostic::expected;
use super::extract::extract;
use super::model::{Config, Service};
use super::report::Report;
use crate::components::Component;

const SECTIONS: [&str; 5] = ["receivers", "processors", "exporters", "extensions", "service"];

/// All ids by section, also those of components that were refused.
pub(super) type Declared = BTreeMap<&'static str, Vec<String>>;

/// Makes a configuration of all values that can be typed, and reports the others.
pub(super) fn assemble(values: &Dict, report: &mut Report<'_>) -> (Config, Declared) {
    for key in values.keys().filter(|key| !SECTIONS.contains(&key.as_str())) {
        report.problem(&[key], format!("unknown key; {}", expected(key, &SECTIONS)));
    }
    let mut declared = Declared::new();
    let config = Config {
        receivers: components(values, &mut declared, report),
        processors: components(values, &mut declared, report),
        exporters: components(values, &mut declared, report),
        extensions: components(values, &mut declared, report),
        service: service(values, report),
    };
    (config, declared)
}

fn components<C: Component>(
    values: &Dict,
    declared: &mut Declared,
    report: &mut Report<'_>,
) -> BTreeMap<String, C> {
    let entries = section(values, C::SECTION, report);
    declared.insert(C::SECTION, entries.keys().cloned().collect());
    entries.into_iter().filter_map(|(id, value)| Some((id.clone(), component(&id, value, report)?))).collect()
}

fn component<C: Component>(id: &str, value: Value, report: &mut Report<'_>) -> Option<C> {
    let at = [C::SECTION, id];
    let (kind, name) = id.split_once('/').map_or((id, None), |(kind, name)| (kind, Some(name)));
    let alias = C::ALIASES.iter().find(|(alias, _)| *alias == kind);
    let kind = alias.map_or(kind, |(_, known)| *known);
    let kinds: Vec<&str> = C::TYPES.iter().map(|known| known.name).collect();
    if !kinds.contains(&kind) {
        let message = match C::NOT_BUILT_YET.contains(&kind) {
            // There is nothing to suggest, since the name is spelt right.
            true => format!("{kind} is not built yet; there is {}", kinds.join(", ")),
            false => format!("unknown type {kind}; {}", expected(kind, &kinds)),
        };
        report.problem(&at, message);
        return None;
    }
    if name.is_some_and(str::is_empty) {
        report.problem(&at, "a slash without a name after it; expected type or type/name");
    }
    if !matches!(value, Value::Dict(..) | Value::Empty(..)) {
        report.problem(&at, "expected a mapping");
        return None;
    }
    let (typed, mut found) = extract::<C>(Dict::from([(kind.to_owned(), value)]).into());
    for found in &mut found {
        // The first key of the path is the type, which was put around the value for extraction.
        found.path = found.path.split_off(found.path.len().min(1));
    }
    report.extracted(&at, found);
    let typed = typed?;
    report.validated(&at, typed.validate());
    Some(typed)
}

fn service(values: &Dict, report: &mut Report<'_>) -> Service {
    let value = Value::from(section(values, "service", report));
    let (service, found) = extract::<Service>(value);
    report.extracted(&["service"], found);
    let service = service.unwrap_or_default();
    if !service.shutdown_timeout.is_zero()
        && let Err(message) = fit(*service.shutdown_timeout)
    {
        report.problem(&["service", "shutdown_timeout"], message);
    }
    let telemetry = &service.telemetry;
    report.validated(&["service", "telemetry", "metrics"], telemetry.metrics.validate(&process_environment));
    if let Some(otlp) = &telemetry.logs.otlp {
        report.validated(&["service", "telemetry", "logs", "otlp"], otlp.validate(&process_environment));
    }
    let resource = Resource::new(&Instance::default(), &process_environment, &telemetry.resource);
    report.validated(&["service", "telemetry", "resource"], resource.err().unwrap_or_default());
    service
}

fn section(values: &Dict, name: &str, report: &mut Report<'_>) -> Dict {
    match values.get(name) {
        None | Some(Value::Empty(..)) => Dict::new(),
        Some(Value::Dict(_, entries)) => entries.clone(),
        Some(_) => {
            report.problem(&[name], "expected a mapping");
            Dict::new()
        }
    }
}
