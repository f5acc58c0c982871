//! The configuration of `k8s_attributes`, in the words of the Collector's processor of that name.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::metadata::Metadata;
use super::refused::{Refused, refusals};
use crate::attribute::{Attribute, Described, Kind};
use crate::config::{Interval, Problem, fit};

/// The longest time that records may wait.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The only thing whose labels are read.
const POD: &str = "pod";

/// `k8s_attributes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct K8sAttributesConfig {
    /// How the process authenticates itself.
    pub auth_type: AuthType,
    /// The file for `auth_type: kubeConfig`. Default: what `KUBECONFIG` names, else `~/.kube/config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_config_path: Option<PathBuf>,
    /// The context of that file. Default: its current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Which pods are watched.
    pub filter: Filter,
    /// What becomes attributes.
    pub extract: Extract,
    /// Which pods are never named.
    pub exclude: Exclude,
    /// What is known of the other side of a connection.
    pub peers: Peers,
    /// What the names of the peer side's attributes begin with, in place of `k8s.`.
    pub peer_prefix: String,
    /// How long a record waits, from its own time on, for the API's news of that time. Not used without peers.
    pub delay: Interval,
    /// How long a pod that has ended is still known.
    pub linger: Interval,
    /// Whether the start waits until the first lists are complete.
    pub wait_for_metadata: bool,
    /// How long the start waits. If the lists are not complete by then, the start fails.
    pub wait_for_metadata_timeout: Interval,
    /// The Collector's, refused.
    #[serde(skip_serializing)]
    pub passthrough: Refused,
    /// The Collector's, refused.
    #[serde(skip_serializing)]
    pub pod_association: Refused,
}

/// How the process authenticates itself. The words are the Collector's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AuthType {
    /// By nothing. The API is where `KUBERNETES_SERVICE_HOST` says, and its certificate is not checked.
    None,
    /// By the token of the pod's service account, which is read again when it changes.
    #[default]
    ServiceAccount,
    /// By a kubeconfig file.
    KubeConfig,
}

/// What is known of the other side of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peers {
    /// Nothing. Only the pods of this node are watched, if the node is known.
    Off,
    /// Pods.
    Pods,
    /// Pods, nodes and services.
    #[default]
    All,
}

/// Which pods are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The name of this node. Pods elsewhere are then peers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The environment variable that has the name of this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_from_env_var: Option<String>,
    /// Only pods and services of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only pods with these labels.
    pub labels: Vec<Selector>,
    /// Only pods with these fields, such as `status.phase`.
    pub fields: Vec<Selector>,
}

/// A condition on a label or on a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// The label or the field.
    pub key: String,
    /// What it is compared with.
    #[serde(default)]
    pub value: String,
    /// How it is compared.
    #[serde(default)]
    pub op: Op,
}

/// How a label or a field is compared. The words are the Collector's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Has this value.
    #[default]
    Equals,
    /// Does not have this value.
    NotEquals,
    /// Is there.
    Exists,
    /// Is not there.
    DoesNotExist,
}

/// What becomes attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extract {
    /// Names, in the order of the attributes.
    pub metadata: Vec<Metadata>,
    /// Labels of pods.
    pub labels: Vec<Rule>,
    /// Annotations of pods.
    pub annotations: Vec<Rule>,
    /// The Collector's, refused.
    #[serde(skip_serializing)]
    pub otel_annotations: Refused,
    /// The Collector's, refused.
    #[serde(skip_serializing)]
    pub deployment_name_from_replicaset: Refused,
}

impl Default for Extract {
    fn default() -> Self {
        Extract {
            metadata: Metadata::DEFAULT.to_vec(),
            labels: Vec::new(),
            annotations: Vec::new(),
            otel_annotations: Refused::default(),
            deployment_name_from_replicaset: Refused::default(),
        }
    }
}

/// A label or an annotation that becomes an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its key.
    #[serde(default)]
    pub key: String,
    /// The attribute's name. Default: `k8s.pod.label.KEY` or `k8s.pod.annotation.KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_name: Option<String>,
    /// Whose label it is: `pod`, the default. Others are refused.
    #[serde(default = "of_pod")]
    pub from: String,
    /// The Collector's, refused.
    #[serde(default, skip_serializing)]
    pub key_regex: Refused,
}

fn of_pod() -> String {
    POD.to_owned()
}

/// Which pods are never named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclude {
    /// By the names of pods.
    pub pods: Vec<ExcludedPods>,
}

/// Pods that are never named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcludedPods {
    /// A regular expression on the pod's name.
    pub name: String,
}

/// The API's form of a selector.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Selector { key, value, op } = self;
        match op {
            Op::Equals => write!(f, "{key}={value}"),
            Op::NotEquals => write!(f, "{key}!={value}"),
            Op::Exists => f.write_str(key),
            Op::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

impl Default for K8sAttributesConfig {
    fn default() -> Self {
        K8sAttributesConfig {
            auth_type: AuthType::default(),
            kube_config_path: None,
            context: None,
            filter: Filter::default(),
            extract: Extract::default(),
            exclude: Exclude::default(),
            peers: Peers::default(),
            peer_prefix: "k8s.peer.".to_owned(),
            delay: Interval::from_secs(1),
            linger: Interval::from_secs(60),
            wait_for_metadata: false,
            wait_for_metadata_timeout: Interval::from_secs(10),
            passthrough: Refused::default(),
            pod_association: Refused::default(),
        }
    }
}

impl K8sAttributesConfig {
    /// The attributes that it can find with its default prefix, for the reference: those of the local side, then those of
    /// the peer side.
    pub fn described() -> Vec<Described> {
        let prefix = K8sAttributesConfig::default().peer_prefix;
        let described = |name, text| Described { name, kind: Kind::String, text };
        let local = Metadata::iter().filter_map(|one| Some(described(one.local()?.to_owned(), one.text())));
        let peer = Metadata::iter()
            .filter_map(|one| Some(described(format!("{prefix}{}", one.peer()?), one.text())));
        local.chain(peer).collect()
    }

    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = refusals(&[
            ("passthrough", &self.passthrough),
            ("pod_association", &self.pod_association),
            ("extract.otel_annotations", &self.extract.otel_annotations),
            ("extract.deployment_name_from_replicaset", &self.extract.deployment_name_from_replicaset),
        ]);
        let mut at = |path: String, message: &str| problems.push(Problem::at(path, message));
        if self.auth_type != AuthType::KubeConfig {
            for (key, is_set) in
                [("kube_config_path", self.kube_config_path.is_some()), ("context", self.context.is_some())]
            {
                if is_set {
                    at(key.to_owned(), "is only used with auth_type: kubeConfig");
                }
            }
        }
        if self.filter.node.is_some() && self.filter.node_from_env_var.is_some() {
            at("filter.node_from_env_var".to_owned(), "filter.node is set, too; name the node once");
        }
        for (index, selector) in self.filter.fields.iter().enumerate() {
            if !matches!(selector.op, Op::Equals | Op::NotEquals) {
                at(
                    format!("filter.fields.{index}.op"),
                    "expected equals or not-equals: the API has no others",
                );
            }
        }
        if self.peers != Peers::Off && self.peer_prefix == "k8s." {
            at(
                "peer_prefix".to_owned(),
                "the names of both sides would be the same; expected another prefix",
            );
        }
        for (key, time) in
            [("linger", self.linger), ("wait_for_metadata_timeout", self.wait_for_metadata_timeout)]
        {
            if let Err(message) = fit(*time) {
                at(key.to_owned(), message);
            }
        }
        if *self.delay > LONGEST_DELAY {
            at("delay".to_owned(), "expected at most 1m: records wait in memory");
        }
        for (index, pods) in self.exclude.pods.iter().enumerate() {
            if let Err(error) = regex::Regex::new(&pods.name) {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                at(format!("exclude.pods.{index}.name"), &format!("not a regular expression: {reason}"));
            }
        }
        problems.extend(self.extract.validate());
        problems
    }

    /// The name of this node, if the configuration or the environment has it.
    pub fn node(&self, environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let of_variable = || environment(self.filter.node_from_env_var.as_deref()?);
        self.filter.node.clone().or_else(of_variable).filter(|name| !name.is_empty())
    }

    /// Whether it needs to know which CronJob has made a Job.
    pub fn wants_cron_jobs(&self) -> bool {
        self.extract.metadata.contains(&Metadata::CronJob)
    }
}

impl Extract {
    /// What is wrong with its labels and annotations.
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, kind, rules) in
            [("labels", "label", &self.labels), ("annotations", "annotation", &self.annotations)]
        {
            for (index, rule) in rules.iter().enumerate() {
                let path = |below: &str| format!("extract.{key}.{index}{below}");
                let name = rule.attribute(kind);
                if rule.key_regex.is_set() {
                    problems.extend(refusals(&[(&path(".key_regex"), &rule.key_regex)]));
                } else if rule.key.is_empty() {
                    problems.push(Problem::at(path(""), format!("expected the key of a {kind}")));
                } else if name.parse::<Attribute>().is_ok() {
                    let message = format!("the name {name} is taken: receivers set this attribute");
                    problems.push(Problem::at(path(""), message));
                }
                if rule.from != POD {
                    let message = format!(
                        "expected pod: the {kind}s of other objects would need more watches, of every agent"
                    );
                    problems.push(Problem::at(path(".from"), message));
                }
            }
        }
        problems
    }
}

impl Rule {
    /// The name of the local side's attribute; `kind` is `label` or `annotation`.
    pub(super) fn attribute(&self, kind: &str) -> String {
        self.tag_name.clone().unwrap_or_else(|| format!("k8s.pod.{kind}.{}", self.key))
    }
}
