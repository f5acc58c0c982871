//! Views: other names for metrics and labels, so that the dashboards of other agents show these numbers. The word is that of
//! OpenTelemetry's SDK.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::attribute::Key;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::metric::MetricPoint;
use serde::{Deserialize, Serialize};

use super::names;

/// One metric under another name, with labels of its own. Series that have the same labels in it are added up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The metric, by its OpenTelemetry name.
    pub metric: String,
    /// The name on the page, as it is there.
    pub name: String,
    /// Its type on the page.
    #[serde(default, rename = "type")]
    pub kind: ViewType,
    /// For each label, the attribute that it has the value of. Of several attributes, the first that the point has is taken.
    #[serde(default)]
    pub labels: BTreeMap<String, Attributes>,
    /// The value of a label whose attributes the point lacks. By default the sample has no such label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Labels with a fixed value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub const_labels: BTreeMap<String, String>,
}

/// Type of a metric on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewType {
    /// A counter. Its name ends with `_total`.
    #[default]
    Counter,
    /// A gauge, as some agents show their counters.
    Gauge,
}

/// One attribute, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attributes {
    /// One.
    One(Key),
    /// The first of these that a point has.
    FirstOf(Vec<Key>),
}

impl Attributes {
    fn as_slice(&self) -> &[Key] {
        match self {
            Attributes::One(key) => std::slice::from_ref(key),
            Attributes::FirstOf(keys) => keys,
        }
    }
}

impl View {
    /// The labels that a point has in this view.
    pub(super) fn labels(&self, point: &MetricPoint) -> BTreeMap<String, String> {
        let value = |key: &Key| {
            let found = point.attributes.iter().find(|(attribute, _)| attribute == key);
            found.map(|(_, value)| value.value().to_string())
        };
        let labels = self.labels.iter().filter_map(|(label, attributes)| {
            let value = attributes.as_slice().iter().find_map(value);
            Some((label.clone(), value.or_else(|| self.missing.clone())?))
        });
        let fixed = self.const_labels.iter().map(|(label, value)| (label.clone(), value.clone()));
        labels.chain(fixed).collect()
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let valid = |name: &str| !name.is_empty() && names::label(name) == name;
        let unfit = |name: &String| format!("{name:?} is no name of a label; expected letters, digits and _");
        let is_counter = self.kind == ViewType::Counter;
        if self.metric.is_empty() {
            Some("metric is missing; expected a metric such as system.network.tcp.retransmits".to_owned())
        } else if !valid(&self.name.replace(':', "_")) {
            Some(format!("name: {:?} is no name of a metric; expected letters, digits, _ and :", self.name))
        } else if is_counter && !self.name.ends_with("_total") {
            Some(format!("name: {:?} has to end with _total, or type has to be gauge", self.name))
        } else {
            self.labels.keys().chain(self.const_labels.keys()).find(|name| !valid(name)).map(unfit)
        }
    }
}

/// The problems of a list of views.
pub(super) fn problems(views: &[View]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, view) in views.iter().enumerate() {
        problems.extend(view.problem().map(|message| Problem::at(format!("views[{index}]"), message)));
        if views[..index].iter().any(|earlier| earlier.name == view.name) {
            problems.push(Problem::at(
                format!("views[{index}]"),
                format!("there are two with the name {}", view.name),
            ));
        }
    }
    problems
}
