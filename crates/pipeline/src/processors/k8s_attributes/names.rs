//! The names of the attributes of both sides, by the configuration, and the bundles that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::RegexSet;

use super::config::{K8sAttributesConfig, Peers, Rule};
use super::facts::{Facts, Kind};
use super::metadata::Metadata;
use super::objects::Pod;
use crate::attribute::OwnedValue;
use crate::record::Bundle;

/// What becomes attributes, and under which names.
pub(super) struct Names {
    metadata: Vec<(Metadata, Sides)>,
    labels: Vec<(String, Sides)>,
    annotations: Vec<(String, Sides)>,
    excluded: RegexSet,
}

/// The names of one attribute for each side.
struct Sides {
    local: Option<Arc<str>>,
    peer: Option<Arc<str>>,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Peer,
}

impl Names {
    pub(super) fn new(config: &K8sAttributesConfig) -> Names {
        let peer = |name: &str| {
            let name = name.strip_prefix("k8s.").unwrap_or(name);
            (config.peers != Peers::Off).then(|| Arc::from(format!("{}{name}", config.peer_prefix)))
        };
        let metadata = config.extract.metadata.iter().map(|metadata| {
            let local = metadata.local().map(Arc::from);
            (*metadata, Sides { local, peer: metadata.peer().and_then(peer) })
        });
        let rules = |rules: &[Rule], kind: &str| {
            let named = rules.iter().map(|rule| {
                let name = rule.attribute(kind);
                (rule.key.clone(), Sides { peer: peer(&name), local: Some(Arc::from(name)) })
            });
            named.collect()
        };
        Names {
            metadata: metadata.collect(),
            labels: rules(&config.extract.labels, "label"),
            annotations: rules(&config.extract.annotations, "annotation"),
            // `validate` refuses what is no regular expression.
            excluded: RegexSet::new(config.exclude.pods.iter().map(|pods| &pods.name)).unwrap_or_default(),
        }
    }

    /// All names, of both sides.
    pub(super) fn all(&self) -> Vec<String> {
        let extras = self.labels.iter().chain(&self.annotations).map(|(_, sides)| sides);
        let sides = self.metadata.iter().map(|(_, sides)| sides).chain(extras);
        let mut names: Vec<String> = sides
            .flat_map(|Sides { local, peer }| [local, peer])
            .flatten()
            .map(|name| name.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether something is asked for.
    pub(super) fn want(&self, metadata: Metadata) -> bool {
        self.metadata.iter().any(|(wanted, _)| *wanted == metadata)
    }

    /// Whether the pods of this name are never named.
    pub(super) fn excludes(&self, name: &str) -> bool {
        self.excluded.is_match(name)
    }

    /// The values of the labels and annotations that become attributes, in the order of the configuration.
    pub(super) fn extras(&self, pod: &Pod) -> Vec<Option<Arc<str>>> {
        let of = |rules: &[(String, Sides)], values: &BTreeMap<String, String>| {
            let values = rules.iter().map(|(key, _)| values.get(key).map(|value| Arc::from(value.as_str())));
            values.collect::<Vec<_>>()
        };
        [of(&self.labels, &pod.labels), of(&self.annotations, &pod.annotations)].concat()
    }

    /// The attributes of one side. `container` is the name of the container, if that is known.
    pub(super) fn bundle(&self, facts: &Facts, container: Option<&Arc<str>>, side: Side) -> Bundle {
        let name_of = |sides: &Sides| match side {
            Side::Local => sides.local.clone(),
            Side::Peer => sides.peer.clone(),
        };
        let metadata = self
            .metadata
            .iter()
            .filter_map(|(metadata, sides)| Some((name_of(sides)?, value(*metadata, facts, container)?)));
        let rules = self.labels.iter().chain(&self.annotations);
        let extras = rules
            .zip(&facts.extras)
            .filter_map(|((_, sides), value)| Some((name_of(sides)?, OwnedValue::Text(value.clone()?))));
        metadata.chain(extras).collect()
    }
}

/// The value of a name.
fn value(metadata: Metadata, facts: &Facts, container: Option<&Arc<str>>) -> Option<OwnedValue> {
    let of = |kind: Kind| (facts.kind == kind).then(|| Arc::clone(&facts.name));
    let owned = |kind: &str| {
        let owner = facts.owners.iter().find(|(of, _)| &**of == kind);
        owner.map(|(_, name)| Arc::clone(name))
    };
    let text = match metadata {
        Metadata::Namespace => facts.namespace.clone(),
        Metadata::Pod => of(Kind::Pod),
        Metadata::PodUid => (facts.kind == Kind::Pod).then(|| Arc::clone(&facts.uid)),
        Metadata::Container => container.cloned(),
        Metadata::Node => of(Kind::Node).or_else(|| facts.node.clone()),
        Metadata::Service => of(Kind::Service),
        // A pod that nothing has made, a node and a service stand for themselves.
        Metadata::WorkloadKind => match facts.owners.last() {
            Some((kind, _)) => Some(Arc::clone(kind)),
            None => return Some(OwnedValue::Word(facts.kind.into())),
        },
        Metadata::WorkloadName => Some(Arc::clone(facts.owners.last().map_or(&facts.name, |(_, name)| name))),
        Metadata::Deployment
        | Metadata::ReplicaSet
        | Metadata::StatefulSet
        | Metadata::DaemonSet
        | Metadata::CronJob
        | Metadata::Job => owned(metadata.owner()?),
    };
    text.map(OwnedValue::Text)
}
