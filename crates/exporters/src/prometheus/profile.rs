//! Profiles: ready views with the names of other agents.
//!
//! The names are those of Retina (pkg/module/metrics/tcpretrans.go and the labels of its remote context) and of
//! OpenTelemetry eBPF Instrumentation (pkg/export/attributes/names, v0.12), read in November 2026.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::attribute::Key;
use serde::{Deserialize, Serialize};

use super::view::{Attributes, View, ViewType};

/// Whose names the page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// OpenTelemetry's, which are this project's own: all metrics and all attributes.
    #[default]
    Otel,
    /// Those of Retina's advanced metrics, with the remote context: `networkobservability_adv_tcpretrans_count`.
    Retina,
    /// Those of OpenTelemetry eBPF Instrumentation: `obi_stat_tcp_retransmits_total`.
    Obi,
}

/// Both agents count one per retransmission, whatever the number of its segments.
const EVENTS: &str = "system.network.tcp.retransmit.events";
/// The prefixes of attributes of both sides. The peer's is the default of `k8s_attributes`.
const SIDES: [(&str, &str); 2] = [("k8s", "local"), ("k8s.peer", "peer")];

impl Profile {
    /// Its views; `None` means everything under its own name.
    pub(super) fn views(self) -> Option<Vec<View>> {
        match self {
            Profile::Otel => None,
            Profile::Retina => Some(vec![retina()]),
            Profile::Obi => Some(vec![obi()]),
        }
    }
}

fn retina() -> View {
    let mut labels = BTreeMap::new();
    for ((k8s, side), whose) in SIDES.into_iter().zip(["source", "destination"]) {
        labels.extend([
            label(format!("{whose}_ip"), [format!("network.{side}.address")]),
            label(format!("{whose}_namespace"), [format!("{k8s}.namespace.name")]),
            label(format!("{whose}_podname"), [format!("{k8s}.pod.name")]),
            label(format!("{whose}_workload_kind"), [format!("{k8s}.workload.kind")]),
            label(format!("{whose}_workload_name"), [format!("{k8s}.workload.name")]),
        ]);
    }
    View {
        metric: EVENTS.to_owned(),
        name: "networkobservability_adv_tcpretrans_count".to_owned(),
        kind: ViewType::Gauge,
        labels,
        missing: Some("unknown".to_owned()),
        // What a host sends again is outgoing.
        const_labels: [("direction".to_owned(), "EGRESS".to_owned())].into(),
    }
}

fn obi() -> View {
    let mut labels = BTreeMap::new();
    for ((k8s, side), whose) in SIDES.into_iter().zip(["src", "dst"]) {
        let (namespace, pod) = (format!("{k8s}.namespace.name"), format!("{k8s}.pod.name"));
        let address = format!("network.{side}.address");
        labels.extend([
            label(format!("{whose}_address"), [address.clone()]),
            label(format!("{whose}_port"), [format!("network.{side}.port")]),
            label(format!("{whose}_name"), [pod.clone(), format!("network.{side}.name"), address]),
            label(format!("{whose}_zone"), [format!("network.{side}.zone")]),
            label(format!("k8s_{whose}_namespace"), [namespace]),
            label(format!("k8s_{whose}_name"), [pod]),
            label(format!("k8s_{whose}_owner_name"), [format!("{k8s}.workload.name")]),
            label(format!("k8s_{whose}_owner_type"), [format!("{k8s}.workload.kind")]),
            label(format!("k8s_{whose}_node_name"), [format!("{k8s}.node.name")]),
        ]);
    }
    View {
        metric: EVENTS.to_owned(),
        name: "obi_stat_tcp_retransmits_total".to_owned(),
        kind: ViewType::Counter,
        labels,
        missing: None,
        const_labels: BTreeMap::new(),
    }
}

fn label<const N: usize>(label: String, attributes: [String; N]) -> (String, Attributes) {
    // Any name is a key: one that is not the receiver's own is a processor's.
    let keys = attributes.iter().filter_map(|name| name.parse::<Key>().ok()).collect();
    (label, Attributes::FirstOf(keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::view::problems;

    #[test]
    fn the_profiles_are_valid() {
        for profile in [Profile::Retina, Profile::Obi] {
            assert_eq!(problems(&profile.views().unwrap()), []);
        }
    }
}
