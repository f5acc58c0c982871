//! Collects the problems of one run, each with the origin of the key that it is about.

use otel_tcpretrans_pipeline::config as component;

use super::extract::Found;
use super::layer::Merged;
use super::problem::{Path, Problem, parse_path};

pub(super) struct Report<'m> {
    merged: &'m Merged,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'m> Report<'m> {
    /// Goes on with the problems that were found while the layers were read.
    pub(super) fn new(merged: &'m Merged, problems: Vec<Problem>) -> Self {
        Report { merged, problems, warnings: Vec::new() }
    }

    pub(super) fn problem(&mut self, path: &[&str], message: impl Into<String>) {
        self.problems.push(self.located(path.iter().map(|key| (*key).to_owned()).collect(), message.into()));
    }

    pub(super) fn warning(&mut self, path: &[&str], message: impl Into<String>) {
        self.warnings.push(self.located(path.iter().map(|key| (*key).to_owned()).collect(), message.into()));
    }

    /// What extraction found below `base`.
    pub(super) fn extracted(&mut self, base: &[&str], found: Vec<Found>) {
        for Found { path, message, missing } in found {
            let path = below(base, path);
            // A key is also missing where its variable is, which was said already.
            if !missing || self.problems.iter().all(|known| known.path != path) {
                self.problems.push(self.located(path, message));
            }
        }
    }

    /// What a component's own validation found below `base`.
    ///
    /// It saw defaults in place of what was wrong before, so that whatever it says about those is void.
    pub(super) fn validated(&mut self, base: &[&str], found: Vec<component::Problem>) {
        let related = |a: &[String], b: &[String]| a.starts_with(b) || b.starts_with(a);
        let known: Vec<Path> = self.problems.iter().map(|known| known.path.clone()).collect();
        for component::Problem { path, message } in found {
            let path = below(base, parse_path(&path));
            if known.iter().all(|known| known.is_empty() || !related(known, &path)) {
                self.problems.push(self.located(path, message));
            }
        }
    }

    fn located(&self, path: Path, message: String) -> Problem {
        Problem { origin: self.merged.origin(&path), path, message }
    }
}

fn below(base: &[&str], path: Path) -> Path {
    base.iter().map(|key| (*key).to_owned()).chain(path).collect()
}
