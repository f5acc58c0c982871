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

use std::io;
use std::sync::{Arc, OnceLock};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use kube::Client;
use kube::api::{Api, PartialObjectMeta};
use kube::core::{ApiResource, DynamicResourceScope};
use kube::runtime::watcher;
use otel_tcpretrans_pipeline::processors::K8sAttributesConfig;
use otel_tcpretrans_pipeline::processors::k8s_attributes::{Cluster, Peers, Resource, Watches};
use tokio::runtime::{Builder, Runtime};
use tracing::warn;

use crate::objects::{NodeObject, PodObject, ServiceObject};
use crate::watch::{Told, watch};

/// Watches clusters through their API, on a thread of its own: a page of 500 pods takes long to decode, and no record must
/// wait for that. The thread is started with the first cluster.
#[derive(Debug, Default)]
pub struct Kubernetes(OnceLock<Runtime>);

impl Watches for Kubernetes {
    fn start(&self, config: &K8sAttributesConfig, cluster: &Arc<Cluster>) -> Result<(), String> {
        let settings = client::settings(config).map_err(|error| error.to_string())?;
        let runtime = self.runtime().map_err(|error| format!("a thread for the watches: {error}"))?;
        let _entered = runtime.enter(); // clients and watches begin tasks
        let start = Start { settings, namespace: config.filter.namespace.as_deref(), cluster };
        start.watch::<PodObject>(Resource::Pods, pods_of(config), &erased::<Pod>())?;
        if config.peers == Peers::All {
            let all = watcher::Config::default;
            start.watch_everywhere::<NodeObject>(Resource::Nodes, all(), &erased::<Node>())?;
            start.watch::<ServiceObject>(Resource::Services, all(), &erased::<Service>())?;
        }
        if config.wants_cron_jobs() {
            let client = start.client(Resource::Jobs)?;
            let jobs: Api<PartialObjectMeta<Job>> = match start.namespace {
                Some(namespace) => Api::namespaced(client, namespace),
                None => Api::all(client),
            };
            start.spawn(jobs, watcher::Config::default(), Resource::Jobs);
        }
        Ok(())
    }
}

impl Kubernetes {
    fn runtime(&self) -> io::Result<&Runtime> {
        if let Some(runtime) = self.0.get() {
            return Ok(runtime);
        }
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("kubernetes").enable_all().build()?;
        // `Clusters` starts one cluster at a time, so that no second runtime was made meanwhile.
        Ok(self.0.get_or_init(|| runtime))
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        // It may be dropped by a task of another runtime, which must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The watches of one cluster, while they are started.
struct Start<'c> {
    settings: kube::Config,
    /// Only what is in it is watched.
    namespace: Option<&'c str>,
    cluster: &'c Arc<Cluster>,
}

impl Start<'_> {
    /// Watches objects that are in namespaces.
    fn watch<K>(&self, resource: Resource, config: watcher::Config, of: &ApiResource) -> Result<(), String>
    where
        K: Told + kube::Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
    {
        let Some(namespace) = self.namespace else {
            return self.watch_everywhere::<K>(resource, config, of);
        };
        let api: Api<K> = Api::namespaced_with(self.client(resource)?, namespace, of);
        self.spawn(api, config, resource);
        Ok(())
    }

    /// Watches objects that are in no namespace, or those of all.
    fn watch_everywhere<K>(
        &self,
        resource: Resource,
        config: watcher::Config,
        of: &ApiResource,
    ) -> Result<(), String>
    where
        K: Told + kube::Resource<DynamicType = ApiResource>,
    {
        let api: Api<K> = Api::all_with(self.client(resource)?, of);
        self.spawn(api, config, resource);
        Ok(())
    }

    fn client(&self, resource: Resource) -> Result<Client, String> {
        let cluster = Arc::downgrade(self.cluster);
        client::client(self.settings.clone(), resource, cluster).map_err(|error| error.to_string())
    }

    fn spawn<K: Told>(&self, api: Api<K>, config: watcher::Config, resource: Resource) {
        let task = tokio::spawn(watch(api, config, resource, Arc::downgrade(self.cluster)));
        self.cluster.watched_by(resource, task.abort_handle());
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
    if node.is_none() && config.peers == Peers::Off {
        warn!("k8s_attributes: the node is not known, so the pods of all nodes are watched; set filter.node");
    }
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
