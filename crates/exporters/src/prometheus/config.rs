//! The section of a `prometheus` exporter in the configuration file, with the keys of the Collector's exporter.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use serde::{Deserialize, Serialize};

use super::names::label;
use super::profile::Profile;
use super::view::{self, View};

/// Configuration of a `prometheus` exporter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on, `HOST:PORT`. It has no default.
    pub endpoint: String,
    /// What each metric's name begins with, before an underscore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels that each sample has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub const_labels: BTreeMap<String, String>,
    /// How long a series is shown without a new point.
    pub metric_expiration: Interval,
    /// Whether samples have the attributes of the resource as labels.
    pub resource_to_telemetry_conversion: ResourceToTelemetry,
    /// Whether samples have no labels with the name and the version of the scope.
    pub without_scope_info: bool,
    /// Whose names metrics and labels have: `otel`, `retina` or `obi`. With the last two, only what that agent has is shown.
    pub profile: Profile,
    /// Other names for metrics and labels. With views, only they are shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<View>,
}

/// `resource_to_telemetry_conversion`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceToTelemetry {
    /// Whether samples have the attributes of the resource as labels.
    pub enabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoint: String::new(),
            namespace: None,
            const_labels: BTreeMap::new(),
            metric_expiration: Interval::from_secs(5 * 60),
            resource_to_telemetry_conversion: ResourceToTelemetry::default(),
            without_scope_info: false,
            profile: Profile::default(),
            views: Vec::new(),
        }
    }
}

impl Config {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let has_port = |(_, port): (&str, &str)| port.parse::<u16>().is_ok();
        if self.endpoint.is_empty() {
            problems.push(Problem::at("endpoint", "missing; expected HOST:PORT, such as 127.0.0.1:9464"));
        } else if !self.endpoint.rsplit_once(':').is_some_and(has_port) {
            let message = format!("found {:?}; expected HOST:PORT, such as 127.0.0.1:9464", self.endpoint);
            problems.push(Problem::at("endpoint", message));
        }
        problems.extend(
            fit(*self.metric_expiration).err().map(|message| Problem::at("metric_expiration", message)),
        );
        let mut names: Vec<_> = self.const_labels.keys().map(|name| label(name)).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push(Problem::at("const_labels", "two of these become the same label"));
        }
        if self.profile != Profile::Otel {
            if !self.views.is_empty() {
                problems.push(Problem::at("views", "the profile has its own; leave out one of the two"));
            }
            if self.namespace.is_some() {
                problems.push(Problem::at(
                    "namespace",
                    "the profile's names have none; leave out one of the two",
                ));
            }
        }
        problems.extend(view::problems(&self.views));
        problems
    }

    /// What is shown; `None` means everything under its own name.
    pub(super) fn all_views(&self) -> Option<Vec<View>> {
        self.profile.views().or_else(|| (!self.views.is_empty()).then(|| self.views.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(yaml: &str) -> Vec<String> {
        let config: Config = serde_yaml::from_str(yaml).unwrap();
        config.validate().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn problems_are_found() {
        assert_eq!(problems("endpoint: '[::1]:9464'"), [""; 0]);
        assert_eq!(problems("{}"), ["endpoint"]);
        assert_eq!(problems("endpoint: localhost"), ["endpoint"]);
        assert_eq!(problems("endpoint: localhost:99999"), ["endpoint"]);
        assert_eq!(problems("{ endpoint: 'a:1', metric_expiration: 0s }"), ["metric_expiration"]);
        assert_eq!(problems("{ endpoint: 'a:1', const_labels: { a.b: x, a_b: y } }"), ["const_labels"]);
        let view = |view| problems(&format!("{{ endpoint: 'a:1', views: [{view}] }}"));
        assert_eq!(view("{ metric: a, name: b_total, labels: { c: d.e, f: [g, h] } }"), [""; 0]);
        assert_eq!(view("{ metric: a, name: b }"), ["views[0]"], "a counter ends with _total");
        assert_eq!(view("{ metric: a, name: b, type: gauge }"), [""; 0]);
        assert_eq!(view("{ metric: a, name: b_total, labels: { c.d: e } }"), ["views[0]"]);
        assert_eq!(view("{ metric: a, name: b_total }, { metric: c, name: b_total }"), ["views[1]"]);
        assert_eq!(problems("{ endpoint: 'a:1', profile: obi, namespace: x }"), ["namespace"]);
        assert_eq!(
            problems("{ endpoint: 'a:1', profile: obi, views: [{ metric: a, name: b_total }] }"),
            ["views"]
        );
        assert!(serde_yaml::from_str::<Config>("send_timestamps: true").is_err());
    }
}
