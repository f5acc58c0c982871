//! The check of a pipeline: whether the components that it names exist, and whether their order makes sense. It needs
//! only names and kinds, so that it also works if parts of a configuration can't be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::books::Signal;
use crate::component::Produces;
use crate::config::{Problem, expected};
use crate::processors::Stage;

/// A pipeline, described by the names in it.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    /// What it carries.
    pub signal: Signal,
    /// Ids of its receivers.
    pub receivers: &'a [String],
    /// Ids of its processors, in order.
    pub processors: &'a [String],
    /// Ids of its exporters.
    pub exporters: &'a [String],
}

/// What a pipeline may name. A value is `None` if the configuration of the component can't be read, so that nothing
/// more is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'a> {
    /// What each receiver makes.
    pub receivers: &'a BTreeMap<String, Option<Produces>>,
    /// Where in a pipeline each processor works.
    pub processors: &'a BTreeMap<String, Option<Stage>>,
    /// The exporters' ids.
    pub exporters: &'a BTreeSet<String>,
}

/// Everything that is wrong with a pipeline. Paths are `receivers.0`, `processors.1` and so on; the path of a missing
/// list is empty.
pub fn check_pipeline(pipeline: &Outline<'_>, declared: &Declared<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let receivers: Vec<&String> = declared.receivers.keys().collect();
    let processors: Vec<&String> = declared.processors.keys().collect();
    let exporters: Vec<&String> = declared.exporters.iter().collect();
    check_names("receivers", pipeline.receivers, &receivers, true, &mut problems);
    check_names("processors", pipeline.processors, &processors, false, &mut problems);
    check_names("exporters", pipeline.exporters, &exporters, true, &mut problems);
    for (index, id) in pipeline.receivers.iter().enumerate() {
        let produces = declared.receivers.get(id).copied().flatten();
        if pipeline.signal == Signal::Logs && produces == Some(Produces::Points) {
            let message = format!("`{id}` makes metric points; only metrics pipelines take them");
            problems.push(Problem::at(format!("receivers.{index}"), message));
        }
    }
    let stages = pipeline.processors.iter().map(|id| {
        let stage = declared.processors.get(id).copied().flatten()?;
        Some((id.as_str(), stage))
    });
    if let Some(stages) = stages.collect::<Option<Vec<_>>>() {
        problems.extend(check_order(pipeline.signal, &stages));
    }
    problems
}

fn check_names(
    section: &str,
    ids: &[String],
    known: &[&String],
    is_needed: bool,
    problems: &mut Vec<Problem>,
) {
    if is_needed && ids.is_empty() {
        problems.push(Problem::at("", format!("has no {section}; expected at least one")));
    }
    for (index, id) in ids.iter().enumerate() {
        let message = if known.is_empty() {
            format!("there is no {id}: no {section} are configured")
        } else if !known.contains(&id) {
            format!("there is no {id} in {section}; {}", expected(id, known))
        } else if ids[..index].contains(id) {
            format!("{id} is named twice in this list")
        } else {
            continue;
        };
        problems.push(Problem::at(format!("{section}.{index}"), message));
    }
}

/// Checks the order of a pipeline's processors: first those that work on records, then at most one `aggregate` (in
/// metrics pipelines), then at most one `batch`.
fn check_order(signal: Signal, processors: &[(&str, Stage)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut before: Option<(&str, Stage)> = None;
    for (index, &(id, stage)) in processors.iter().enumerate() {
        let message = match (stage, before) {
            (Stage::Aggregate, _) if signal == Signal::Logs => {
                format!("`{id}`: aggregate makes metric points; only metrics pipelines have one")
            }
            (Stage::Aggregate | Stage::Batch, Some((last, same))) if stage == same => {
                format!(
                    "`{id}`: a pipeline has at most one {name}, and `{last}` is one already",
                    name = <&str>::from(stage)
                )
            }
            (Stage::Flow, Some((last, Stage::Aggregate | Stage::Batch))) => {
                format!("`{id}` works on records and must come before `{last}`")
            }
            (Stage::Aggregate, Some((last, Stage::Batch))) => {
                format!("`{id}` must come before `{last}`: batch is last")
            }
            _ => {
                before = Some((id, stage));
                continue;
            }
        };
        problems.push(Problem::at(format!("processors.{index}"), message));
    }
    problems
}

#[cfg(test)]
mod tests;
