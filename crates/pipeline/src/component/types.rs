//! What users can rely on in a type of component.

use serde::Serialize;

use crate::books::Signal;

/// A type of component.
#[derive(Clone, Copy, Debug)]
pub struct ComponentType {
    /// Its name, the first part of its components' ids.
    pub name: &'static str,
    /// What users can rely on.
    pub stability: Stability,
    /// The signals of the pipelines that may name it.
    pub signals: &'static [Signal],
}

/// What users can rely on, in the Collector's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stability {
    /// Its output is for people, and may change with any version.
    Development,
    /// It works, and its configuration may still change with a minor version.
    Alpha,
}
