//! What this kernel and this user offer, and what `auto` would choose.

use std::io;

use serde::Serialize;

use crate::config::Config;
use crate::facts::Facts;
use crate::findings::{Finding, conclusion, findings};
use crate::setup::{Setup, decide};

/// The answer of [`check`].
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was found.
    pub facts: Facts,
    /// What `auto` would do; `None` where nothing works.
    pub plan: Option<Setup>,
    /// Why nothing works, and what to do about it.
    pub refusal: Option<String>,
}

impl Report {
    /// What the facts mean, thing by thing.
    pub fn findings(&self) -> Vec<Finding> {
        findings(&self.facts, self.plan.as_ref())
    }

    /// What the receiver would do, in one sentence; `None` where nothing works.
    pub fn conclusion(&self) -> Option<String> {
        self.plan.as_ref().map(conclusion)
    }
}

/// Probes, and decides for the default configuration. Loads nothing.
///
/// # Errors
/// Where /proc or /sys can't be read.
pub fn check() -> io::Result<Report> {
    let facts = Facts::probe()?;
    let (plan, refusal) = match decide(&facts, &Config::default()) {
        Ok(setup) => (Some(setup), None),
        Err(refusal) => (None, Some(refusal.0)),
    };
    Ok(Report { facts, plan, refusal })
}
