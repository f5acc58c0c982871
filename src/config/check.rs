//! Finds problems that show only in the configuration as a whole: references, unused components, pipelines that make no
//! sense.

use std::collections::{BTreeMap, BTreeSet};

use otel_tcpretrans_pipeline::attribute::UnknownAttribute;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::Produces;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::graph::{self, Outline};
use otel_tcpretrans_pipeline::processors::Stage;

use super::assemble::Declared;
use super::diagnostic::{Diagnostic, expected};
use super::model::{Config, Pipeline};
use super::report::Report;
use crate::components::{ExporterConfig, ExtensionConfig, ProcessorConfig, ReceiverConfig};

/// Reports everything that is wrong, and warns of what is unused.
pub(super) fn check(config: &Config, declared: &Declared, report: &mut Report<'_>) {
    let pipelines = &config.service.pipelines;
    // If the section around the pipelines is wrong, that is reported already, and may be why there are none.
    let wrong = |known: &Diagnostic| known.path.iter().zip(PIPELINES).all(|(key, expected)| key == expected);
    if pipelines.is_empty() && !report.problems.iter().any(wrong) {
        report.problem(&PIPELINES, "there is no pipeline, so nothing to run; add logs or metrics");
    }
    let known = Known::of(config, declared);
    for (id, pipeline) in pipelines {
        report.validated(&["service", "pipelines", id], check_pipeline(id, pipeline, &known));
    }
    warn_of_unused(pipelines.values(), declared, report);
    one_tcpretrans(config, report);
    check_extensions(&config.service.extensions, declared, report);
    check_storages(config, declared, report);
    check_scraped(config, report);
    check_found(config, report);
    warn_of_pods_by_address(config, report);
}

/// Warns of `k8s_attributes` without `cgroup` before it. It works, but knows the local side by its address alone.
fn warn_of_pods_by_address(config: &Config, report: &mut Report<'_>) {
    let of = |id: &String| config.processors.get(id);
    for (pipeline, plan) in &config.service.pipelines {
        for (index, id) in plan.processors.iter().enumerate() {
            let is_before =
                plan.processors[..index].iter().any(|id| matches!(of(id), Some(ProcessorConfig::Cgroup(_))));
            if matches!(of(id), Some(ProcessorConfig::K8sAttributes(_))) && !is_before {
                let message = format!(
                    "{id} has no cgroup before it, so local pods with hostNetwork, and containers, are not named; add cgroup \
                     before it"
                );
                report
                    .warning(&["service", "pipelines", pipeline, "processors", &index.to_string()], message);
            }
        }
    }
}

/// Reports attributes that no processor finds, or none before the one that asks for them.
fn check_found(config: &Config, report: &mut Report<'_>) {
    // It is computed once, since `networks` reads its file for it.
    let finds: BTreeMap<&String, Vec<String>> =
        config.processors.iter().map(|(id, processor)| (id, processor.finds())).collect();
    let all: Vec<String> = finds.values().flatten().cloned().collect();
    let has = |names: &[String], name: &str| names.iter().any(|found| found == name);
    for (id, processor) in &config.processors {
        for ask in processor.asks() {
            if !has(&all, ask.name) {
                let message = format!("{}{}", ask.before, UnknownAttribute::among(ask.name, &all));
                report.validated(&["processors", id], vec![Problem::at(ask.path, message)]);
            }
        }
    }
    for (pipeline, plan) in &config.service.pipelines {
        for (index, id) in plan.processors.iter().enumerate() {
            let asks = config.processors.get(id).map(ProcessorConfig::asks).unwrap_or_default();
            for ask in &asks {
                let mut finders = finds.iter().filter(|(_, names)| has(names, ask.name)).map(|(id, _)| *id);
                let is_before = |finder| plan.processors[..index].contains(finder);
                if let Some(finder) = finders.clone().next()
                    && !finders.any(is_before)
                {
                    let message =
                        format!("{id} asks for {}, which {finder} finds; name {finder} before it", ask.name);
                    report.problem(
                        &["service", "pipelines", pipeline, "processors", &index.to_string()],
                        message,
                    );
                }
            }
        }
    }
}

/// Reports a `prometheus` exporter of a logs pipeline, or of several pipelines: their series would have the same names.
fn check_scraped(config: &Config, report: &mut Report<'_>) {
    let is_scraped = |id: &&String| matches!(config.exporters.get(*id), Some(ExporterConfig::Prometheus(_)));
    let mut of: BTreeMap<&String, &String> = BTreeMap::new();
    for (pipeline, plan) in &config.service.pipelines {
        for (index, exporter) in plan.exporters.iter().enumerate().filter(|(_, id)| is_scraped(id)) {
            let message = if signal(pipeline) == Ok(Signal::Logs) {
                format!("{exporter} takes metrics only; name it in a metrics pipeline")
            } else if let Some(other) = of.insert(exporter, pipeline) {
                format!(
                    "{exporter} is in {other}, too, and their series would have the same names; give each pipeline an \
                     exporter of its own"
                )
            } else {
                continue;
            };
            report.problem(&["service", "pipelines", pipeline, "exporters", &index.to_string()], message);
        }
    }
}

/// Reports references to extensions that are not declared, and extensions that nothing references.
fn check_extensions(started: &[String], declared: &Declared, report: &mut Report<'_>) {
    let declared = declared.get("extensions").map_or(&[][..], Vec::as_slice);
    for (index, id) in started.iter().enumerate() {
        let at = ["service", "extensions", &index.to_string()];
        if !declared.contains(id) {
            report.problem(&at, format!("{id} is not declared under extensions; {}", expected(id, declared)));
        } else if started[..index].contains(id) {
            report.problem(&at, format!("{id} is there twice"));
        }
    }
    for id in declared.iter().filter(|id| !started.contains(id)) {
        report.warning(&["extensions", id], "service.extensions does not name it, so it will not run");
    }
}

/// Reports `storage` that names no `file_storage` in use.
fn check_storages(config: &Config, declared: &Declared, report: &mut Report<'_>) {
    let of_section = declared.get("extensions").map_or(&[][..], Vec::as_slice);
    for (exporter, storage) in
        config.exporters.iter().filter_map(|(id, exporter)| Some((id, exporter.storage()?)))
    {
        let message = if !of_section.iter().any(|id| id == storage) {
            format!("{storage} is not declared under extensions; {}", expected(storage, of_section))
        } else if !config.service.extensions.iter().any(|id| id == storage) {
            format!("service.extensions does not name {storage}, so it does not run; add it there")
        } else if !matches!(config.extensions.get(storage), None | Some(ExtensionConfig::FileStorage(_))) {
            format!("{storage} is no file_storage, so it keeps no queue")
        } else {
            continue;
        };
        report.problem(&["exporters", exporter, "sending_queue", "storage"], message);
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

/// All declared components. More than the id of a component is known only if its configuration can be read.
struct Known {
    receivers: BTreeMap<String, Option<Produces>>,
    processors: BTreeMap<String, Option<Stage>>,
    exporters: BTreeSet<String>,
}

impl Known {
    fn of(config: &Config, declared: &Declared) -> Known {
        let ids = |section: &str| declared.get(section).into_iter().flatten().cloned();
        Known {
            receivers: ids("receivers")
                .map(|id| (id.clone(), config.receivers.get(&id).map(ReceiverConfig::produces)))
                .collect(),
            processors: ids("processors")
                .map(|id| (id.clone(), config.processors.get(&id).map(ProcessorConfig::stage)))
                .collect(),
            exporters: ids("exporters").collect(),
        }
    }
}

/// What is wrong with a pipeline, at paths below it: its id, its references and the order of its processors.
fn check_pipeline(id: &str, pipeline: &Pipeline, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    // If the signal is unknown, the rest is checked as for metrics, since a metrics pipeline may have all components.
    let signal = signal(id).unwrap_or_else(|message| {
        problems.push(Problem::at("", message));
        Signal::Metrics
    });
    let outline = Outline {
        signal,
        receivers: &pipeline.receivers,
        processors: &pipeline.processors,
        exporters: &pipeline.exporters,
    };
    let declared = graph::Declared {
        receivers: &known.receivers,
        processors: &known.processors,
        exporters: &known.exporters,
    };
    problems.extend(graph::check_pipeline(&outline, &declared));
    problems
}

/// The signal that a pipeline carries, by its id, such as `logs` or `metrics/by-peer`.
///
/// # Errors
/// The id names no signal, or a signal that no pipeline can carry.
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
    for (section, ids) in declared.iter().filter(|(section, _)| **section != "extensions") {
        for id in ids.iter().filter(|id| !used.contains(&(*section, *id))) {
            report.warning(&[section, id], "no pipeline uses it, so it will not run");
        }
    }
}

/// Refuses a second `tcpretrans`: the scopes of one process overlap, since its cgroup and its network namespace are
/// part of its host.
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
