//! Collects the problems of one run, each with the origin of its key.

use otel_tcpretrans_pipeline::config as component;

use super::diagnostic::{Diagnostic, KeyPath, parse_path};
use super::extract::Mismatch;
use super::layer::Merged;

pub(super) struct Report<'m> {
    merged: &'m Merged,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'m> Report<'m> {
    /// A report that begins with the problems found while the layers were read.
    pub(super) fn new(merged: &'m Merged, problems: Vec<Diagnostic>) -> Self {
        Report { merged, problems, warnings: Vec::new() }
    }

    pub(super) fn problem(&mut self, path: &[&str], message: impl Into<String>) {
        self.problems.push(self.located(path.iter().map(|key| (*key).to_owned()).collect(), message.into()));
    }

    pub(super) fn warning(&mut self, path: &[&str], message: impl Into<String>) {
        self.warnings.push(self.located(path.iter().map(|key| (*key).to_owned()).collect(), message.into()));
    }

    /// Adds what extraction found below `base`.
    pub(super) fn extracted(&mut self, base: &[&str], found: Vec<Mismatch>) {
        for Mismatch { path, message, missing } in found {
            let path = below(base, path);
            // A key is missing too if its variable is not set. The variable is reported already.
            if !missing || self.problems.iter().all(|known| known.path != path) {
                self.problems.push(self.located(path, message));
            }
        }
    }

    /// Adds what a component's own validation found below `base`.
    ///
    /// The validation saw defaults in place of values that extraction had refused. Problems at the paths of such
    /// values are therefore left out.
    pub(super) fn validated(&mut self, base: &[&str], found: Vec<component::Problem>) {
        let related = |a: &[String], b: &[String]| a.starts_with(b) || b.starts_with(a);
        let known: Vec<KeyPath> = self.problems.iter().map(|known| known.path.clone()).collect();
        for component::Problem { path, message } in found {
            let path = below(base, parse_path(&path));
            if known.iter().all(|known| known.is_empty() || !related(known, &path)) {
                self.problems.push(self.located(path, message));
            }
        }
    }

    fn located(&self, path: KeyPath, message: String) -> Diagnostic {
        Diagnostic { origin: self.merged.origin(&path), path, message }
    }
}

fn below(base: &[&str], path: KeyPath) -> KeyPath {
    base.iter().map(|key| (*key).to_owned()).chain(path).collect()
}
