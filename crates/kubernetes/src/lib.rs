//! Watches the API of Kubernetes for the processor `k8s_attributes`. The only code that knows this API.
//!
//! Each resource that is needed has one watch: a list in pages, and then the changes from the version of the list on. After a
//! failure a watch goes on from the last version that it has seen; only if the server has forgotten that version, everything
//! is listed again. Between attempts is a growing, random time. What is watched:
//!
//! | `peers` | pods | nodes, services |
//! |---|---|---|
//! | `off` | those of this node, if it is known | no |
//! | `pods` | all | no |
//! | `all` | all | all |
//!
//! Jobs, by their metadata alone, are watched only if `k8s.cronjob.name` is asked for.

mod client;
mod errors;
mod objects;
mod watch;

use std::sync::{Arc, Weak};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use kube::api::{Api, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::watcher;
use otel_tcpretrans_pipeline::processors::K8sAttributesConfig;
use otel_tcpretrans_pipeline::processors::k8s_attributes::{Cluster, Peers, Resource, Watches};

use crate::objects::{NodeObject, PodObject, ServiceObject};
use crate::watch::watch;

/// Watches clusters through their API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kubernetes;

impl Watches for Kubernetes {
    /// # Panics
    /// Panics outside a tokio runtime.
    fn start(&self, config: &K8sAttributesConfig, cluster: &Arc<Cluster>) -> Result<(), String> {
        let settings = client::settings(config).map_err(|error| error.to_string())?;
        let weak = Arc::downgrade(cluster);
        let client = |resource| {
            client::client(settings.clone(), resource, Weak::clone(&weak)).map_err(|error| error.to_string())
        };
        let namespace = config.filter.namespace.as_deref();
        let resource = Resource::Pods;
        let pods: Api<PodObject> = match namespace {
            Some(namespace) => Api::namespaced_with(client(resource)?, namespace, &erased::<Pod>()),
            None => Api::all_with(client(resource)?, &erased::<Pod>()),
        };
        let task = tokio::spawn(watch(pods, pods_of(config), resource, Weak::clone(&weak)));
        cluster.watched_by(resource, task.abort_handle());
        if config.peers == Peers::All {
            let resource = Resource::Nodes;
            let nodes: Api<NodeObject> = Api::all_with(client(resource)?, &erased::<Node>());
            let task = tokio::spawn(watch(nodes, watcher::Config::default(), resource, Weak::clone(&weak)));
            cluster.watched_by(resource, task.abort_handle());
            let resource = Resource::Services;
            let services: Api<ServiceObject> = match namespace {
                Some(namespace) => Api::namespaced_with(client(resource)?, namespace, &erased::<Service>()),
                None => Api::all_with(client(resource)?, &erased::<Service>()),
            };
            let task =
                tokio::spawn(watch(services, watcher::Config::default(), resource, Weak::clone(&weak)));
            cluster.watched_by(resource, task.abort_handle());
        }
        if config.wants_cron_jobs() {
            let resource = Resource::Jobs;
            let jobs: Api<PartialObjectMeta<Job>> = match namespace {
                Some(namespace) => Api::namespaced(client(resource)?, namespace),
                None => Api::all(client(resource)?),
            };
            let task = tokio::spawn(watch(jobs, watcher::Config::default(), resource, weak));
            cluster.watched_by(resource, task.abort_handle());
        }
        Ok(())
    }
}

fn erased<K: kube::Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}

/// Which pods are watched, and how they are listed.
fn pods_of(config: &K8sAttributesConfig) -> watcher::Config {
    let join = |selectors: Vec<String>| (!selectors.is_empty()).then(|| selectors.join(","));
    let labels = config.filter.labels.iter().map(|selector| selector.to_string()).collect();
    let mut fields: Vec<String> = config.filter.fields.iter().map(|selector| selector.to_string()).collect();
    let mut watched = watcher::Config { label_selector: join(labels), ..watcher::Config::default() };
    let node = config.node(&|name| std::env::var(name).ok());
    if let Some(node) = node.filter(|_| config.peers == Peers::Off) {
        fields.push(format!("spec.nodeName={node}"));
        // The server keeps an index of the pods by node in its cache. Any other list would make it read all pods.
        watched = watched.any_semantic();
    }
    watched.field_selector = join(fields);
    watched
}

#[cfg(test)]
mod tests {
    //! What is asked of the API.

    use super::*;

    fn selectors(yaml: &str) -> (Option<String>, Option<String>, bool) {
        let watched = pods_of(&serde_json::from_str(yaml).expect("a configuration"));
        let any = watched.list_semantic == watcher::ListSemantic::Any;
        (watched.label_selector, watched.field_selector, any)
    }

    #[test]
    fn only_pods_of_this_node_are_watched_if_peers_are_off() {
        let of_node = Some("spec.nodeName=n1".to_owned());
        assert_eq!(selectors(r#"{ "peers": "off", "filter": { "node": "n1" } }"#), (None, of_node, true));
        assert_eq!(selectors(r#"{ "peers": "pods", "filter": { "node": "n1" } }"#), (None, None, false));
        assert_eq!(selectors(r#"{ "peers": "off" }"#), (None, None, false));
    }

    #[test]
    fn filters_become_selectors() {
        let filter = r#"{ "filter": {
            "labels": [{ "key": "app", "value": "shop" }, { "key": "canary", "op": "does-not-exist" },
                       { "key": "tier", "op": "exists" }, { "key": "env", "value": "test", "op": "not-equals" }],
            "fields": [{ "key": "status.phase", "value": "Running" }] } }"#;
        let labels = Some("app=shop,!canary,tier,env!=test".to_owned());
        assert_eq!(selectors(filter), (labels, Some("status.phase=Running".to_owned()), false));
    }
}
