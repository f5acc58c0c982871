//! What a type of component promises to its users.

use serde::Serialize;

use crate::books::Signal;

/// A type of component.
#[derive(Clone, Copy, Debug)]
pub struct ComponentType {
    /// Its name, the first part of its components' ids.
    pub name: &'static str,
    /// What users may rely on.
    pub stability: Stability,
    /// The pipelines that it may stand in.
    pub signals: &'static [Signal],
}

/// What users may rely on, in the Collector's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stability {
    /// Its output is for people, and may change with any version.
    Development,
    /// It works, and its configuration may still change with a minor version.
    Alpha,
}
