//! Configuration: turns layers of values into one typed configuration, or reports all of its problems in one run.

mod assemble;
mod check;
mod diagnostic;
mod extract;
mod layer;
mod model;
mod report;
mod substitute;
mod yaml;

use std::path::PathBuf;

pub(crate) use check::signal;
pub(crate) use diagnostic::{Diagnostic, Origin};
#[cfg(test)]
pub(crate) use model::Pipeline;
pub(crate) use model::{Config, LogFormat, LogLevel, Logs, Sandboxing, Service};

use report::Report;
use sha2::{Digest, Sha256};

/// A configuration without problems.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// What looks wrong, but is no reason to refuse it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// A hash of all its values, which tells one configuration from another. It can't be turned back into them.
    pub(crate) hash: String,
    /// Files whose content is in a value (`${file:…}`).
    pub(crate) files: Vec<PathBuf>,
}

/// Loads files, the environment and `--set` arguments, later ones over earlier ones.
///
/// # Errors
/// All problems, in the order of the text.
pub(crate) fn load(files: &[String], sets: &[String]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let merged = layer::merge(files, sets, &mut problems).ok_or_else(|| sorted(problems.clone()))?;
    let mut report = Report::new(&merged, problems);
    let (config, declared) = assemble::assemble(&merged.values, &mut report);
    check::check(&config, &declared, &mut report);
    let Report { problems, warnings, .. } = report;
    if problems.is_empty() {
        let hash = hash(&merged.values);
        Ok(Loaded { config, warnings: sorted(warnings), hash, files: merged.files })
    } else {
        Err(sorted(problems))
    }
}

/// The first 16 hexadecimal digits of the values' SHA-256, in the order of their keys.
fn hash(values: &figment::value::Dict) -> String {
    // Values without a form in YAML do not come out of YAML.
    let text = serde_yaml::to_string(values).unwrap_or_default();
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    problems.sort();
    problems.dedup();
    problems
}
