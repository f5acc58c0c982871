//! What only shows in the configuration as a whole: references, unused components, pipelines that make no sense.

use std::collections::BTreeSet;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::graph::check_order;

use super::assemble::Declared;
use super::model::{Config, Pipeline};
use super::problem::{Problem, expected};
use super::report::Report;
use crate::components::ReceiverConfig;

/// Reports everything that is wrong, and warns of what is unused.
pub(super) fn check(config: &Config, declared: &Declared, report: &mut Report<'_>) {
    let pipelines = &config.service.pipelines;
    // What was wrong there, or with all of `service`, may be all that there was.
    let wrong = |known: &Problem| known.path.iter().zip(PIPELINES).all(|(key, expected)| key == expected);
    if pipelines.is_empty() && !report.problems.iter().any(wrong) {
        report.problem(&PIPELINES, "there is no pipeline, so nothing to run; add logs or metrics");
    }
    for (id, pipeline) in pipelines {
        check_pipeline(id, pipeline, config, declared, report);
    }
    warn_of_unused(pipelines.values(), declared, report);
    one_tcpretrans(config, report);
    for (index, _) in config.service.extensions.iter().enumerate() {
        report
            .problem(&["service", "extensions", &index.to_string()], "no extension is built yet; remove it");
    }
}

const PIPELINES: [&str; 2] = ["service", "pipelines"];

/// A pipeline's references, by section.
fn references(pipeline: &Pipeline) -> [(&'static str, &[String]); 3] {
    [
        ("receivers", &pipeline.receivers),
        ("processors", &pipeline.processors),
        ("exporters", &pipeline.exporters),
    ]
}

fn check_pipeline(
    id: &str,
    pipeline: &Pipeline,
    config: &Config,
    declared: &Declared,
    report: &mut Report<'_>,
) {
    let at = ["service", "pipelines", id];
    let signal = match signal(id) {
        Ok(signal) => Some(signal),
        Err(message) => {
            report.problem(&at, message);
            None
        }
    };
    // What was wrong with a list may be all that was in it.
    let nothing_known = report.problems.iter().all(|known| !known.path.starts_with(&at.map(str::to_owned)));
    for (section, ids) in references(pipeline) {
        if ids.is_empty() && section != "processors" && nothing_known {
            report.problem(&at, format!("has no {section}; expected at least one"));
        }
        let names = declared.get(section).map(Vec::as_slice).unwrap_or_default();
        for (index, name) in ids.iter().enumerate() {
            let at = ["service", "pipelines", id, section, &index.to_string()];
            if names.is_empty() {
                report.problem(&at, format!("there is no {name}: no {section} are configured"));
            } else if !names.contains(name) {
                report.problem(&at, format!("there is no {name} in {section}; {}", expected(name, names)));
            } else if ids[..index].contains(name) {
                report.problem(&at, format!("{name} stands twice in this list"));
            }
        }
    }
    let kind = |name: &String| Some(config.processors.get(name)?.kind());
    let kinds = pipeline.processors.iter().map(|name| Some((name.as_str(), kind(name)?)));
    if let (Some(signal), Some(kinds)) = (signal, kinds.collect::<Option<Vec<_>>>()) {
        report.validated(&at, check_order(signal, &kinds));
    }
}

/// What a pipeline carries follows from its id: `logs`, `metrics/by-peer`.
pub(crate) fn signal(pipeline: &str) -> Result<Signal, String> {
    let (kind, name) = pipeline.split_once('/').map_or((pipeline, None), |(kind, name)| (kind, Some(name)));
    if name.is_some_and(str::is_empty) {
        return Err("a slash without a name after it; expected a signal or signal/name".to_owned());
    }
    kind.parse().map_err(|_| match kind {
        "traces" | "profiles" => {
            format!("there are no {kind} here: only logs and metrics pipelines are built")
        }
        _ => format!("unknown signal {kind}; {}", expected(kind, &["logs", "metrics"])),
    })
}

fn warn_of_unused<'p>(
    pipelines: impl Iterator<Item = &'p Pipeline>,
    declared: &Declared,
    report: &mut Report<'_>,
) {
    let used: BTreeSet<(&str, &String)> = pipelines
        .flat_map(references)
        .flat_map(|(section, ids)| ids.iter().map(move |id| (section, id)))
        .collect();
    for (section, ids) in declared {
        for id in ids.iter().filter(|id| !used.contains(&(*section, *id))) {
            report.warning(&[section, id], "no pipeline uses it, so it will not run");
        }
    }
}

/// All scopes of one process overlap: its cgroup and its network namespace are part of its host.
fn one_tcpretrans(config: &Config, report: &mut Report<'_>) {
    let mut instances =
        config.receivers.iter().filter(|(_, config)| matches!(config, ReceiverConfig::Tcpretrans(_)));
    let Some((first, _)) = instances.next() else { return };
    for (id, _) in instances {
        let message = format!(
            "a second tcpretrans receiver would count again what {first} counts; name {first} in as many pipelines as needed"
        );
        report.problem(&["receivers", id], message);
    }
}
