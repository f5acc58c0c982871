//! A cluster whose API is watched: what is known of it, shared between the watches that tell and the processors that ask.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use super::config::K8sAttributesConfig;
use super::facts::Kind;
use super::names::Names;
use super::objects::{Job, Node, Pod, Service};
use super::status::{Reason, Resource, Status, Statuses, missing};
use super::store::Store;
use crate::clock::unix_nano;

/// What is known of a cluster. Those who watch its API hold it weakly: it ends with the last processor that uses it, and so
/// do the watches.
pub struct Cluster {
    store: RwLock<Store>,
    statuses: Mutex<Statuses>,
    /// Changes with the statuses.
    changed: watch::Sender<()>,
    tasks: Mutex<Vec<AbortHandle>>,
    errors: Errors,
    linger: Duration,
}

/// Failures of all clusters, by resource and reason. They outlive the clusters, since a counter must not fall.
pub(super) type Errors = Arc<Mutex<BTreeMap<(Resource, Reason), u64>>>;

impl Cluster {
    pub(super) fn new(config: &K8sAttributesConfig, errors: &Errors) -> Arc<Cluster> {
        let node = config.node(&|name| std::env::var(name).ok());
        Arc::new(Cluster {
            store: RwLock::new(Store::new(Names::new(config), node)),
            statuses: Mutex::default(),
            changed: watch::channel(()).0,
            tasks: Mutex::default(),
            errors: Arc::clone(errors),
            linger: *config.linger,
        })
    }

    /// What is known. Do not hold it for longer than it takes to name a chunk.
    pub(super) fn known(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The states of all resources that are watched.
    pub(super) fn statuses(&self) -> MutexGuard<'_, Statuses> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers of pods, nodes and services that exist.
    pub(super) fn counts(&self) -> [(&'static str, usize); 3] {
        let known = self.known();
        [(Kind::Pod, "pods"), (Kind::Node, "nodes"), (Kind::Service, "services")]
            .map(|(kind, name)| (name, known.count(kind)))
    }

    /// A task watches this resource. It is aborted when the cluster is not needed any more.
    pub fn watched_by(&self, resource: Resource, task: AbortHandle) {
        self.statuses().entry(resource).or_default();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Waits until the first lists of all resources are complete.
    ///
    /// # Errors
    /// They are not complete after `limit`. The error says which ones, and why.
    pub(super) async fn listed(&self, limit: Duration) -> Result<(), String> {
        let mut changed = self.changed.subscribe();
        let is_listed = || self.statuses().values().all(|status| status.is_listed);
        // The sender is a part of this cluster, so that it does not end.
        let waited = timeout(limit, changed.wait_for(|()| is_listed())).await;
        match waited {
            Ok(_) => Ok(()),
            Err(_) => Err(missing(&self.statuses())),
        }
    }

    /// The API has shown a pod.
    pub fn pod(&self, pod: &Pod) {
        self.tell(Resource::Pods, |store, now| store.pod(pod, now));
    }

    /// A pod was deleted; `pod` is its last state.
    pub fn pod_deleted(&self, pod: &Pod) {
        self.tell(Resource::Pods, |store, now| store.pod_deleted(pod, now));
    }

    /// The API has shown a node.
    pub fn node(&self, node: &Node) {
        self.tell(Resource::Nodes, |store, now| store.node(node, now));
    }

    /// A node was deleted.
    pub fn node_deleted(&self, uid: &str) {
        self.tell(Resource::Nodes, |store, now| store.deleted(uid, now));
    }

    /// The API has shown a service.
    pub fn service(&self, service: &Service) {
        self.tell(Resource::Services, |store, now| store.service(service, now));
    }

    /// A service was deleted.
    pub fn service_deleted(&self, uid: &str) {
        self.tell(Resource::Services, |store, now| store.deleted(uid, now));
    }

    /// The API has shown a job.
    pub fn job(&self, job: &Job) {
        self.tell(Resource::Jobs, |store, _| store.job(job));
    }

    /// A job was deleted.
    pub fn job_deleted(&self, uid: &str) {
        self.tell(Resource::Jobs, |store, _| store.job_deleted(uid));
    }

    /// A list of a resource is complete. What is not in it, by UID, is gone. `before` is [when](Self::last_event) the API
    /// last told of the resource before it began this list.
    pub fn listed_all(&self, resource: Resource, uids: &HashSet<String>, before: u64) {
        self.tell(resource, |store, now| match resource {
            Resource::Pods => store.listed(Kind::Pod, uids, before, now),
            Resource::Nodes => store.listed(Kind::Node, uids, before, now),
            Resource::Services => store.listed(Kind::Service, uids, before, now),
            Resource::Jobs => store.jobs_listed(uids),
        });
        self.change(resource, |status| status.is_listed = true);
        let objects = uids.len();
        info!(resource = <&str>::from(resource), objects, "k8s_attributes: listed");
    }

    /// When the API last told of a resource, in ns since the Unix epoch; 0 if it never did.
    pub fn last_event(&self, resource: Resource) -> u64 {
        self.statuses().get(&resource).map_or(0, |status| status.last_event)
    }

    /// The server has answered a request for a resource.
    pub fn answered(&self, resource: Resource) {
        self.change(resource, |status| {
            if !status.is_connected && status.failure.take().is_some() {
                info!(resource = <&str>::from(resource), "k8s_attributes: connected again");
            }
            status.is_connected = true;
        });
    }

    /// The watch of a resource has failed. What is known stays.
    pub fn failed(&self, resource: Resource, reason: Reason, error: &dyn std::fmt::Display) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry((resource, reason)).or_default() += 1;
        drop(errors);
        let error = error.to_string();
        self.change(resource, |status| {
            if status.failure.as_ref() != Some(&error) {
                let (resource, reason): (&str, &str) = (resource.into(), reason.into());
                warn!(
                    resource,
                    reason, error, "k8s_attributes: the watch has failed; going on with what is known"
                );
            }
            status.is_connected = false;
            status.failure = Some(error);
        });
    }

    /// Takes over something that the API has told, now.
    fn tell(&self, resource: Resource, tell: impl FnOnce(&mut Store, u64)) {
        let now = unix_nano();
        let mut store = self.store();
        tell(&mut store, now);
        store.forget(now.saturating_sub(nanoseconds(self.linger)));
        drop(store);
        self.change(resource, |status| status.last_event = now);
    }

    fn change(&self, resource: Resource, change: impl FnOnce(&mut Status)) {
        change(self.statuses().entry(resource).or_default());
        self.changed.send_replace(());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).iter().for_each(AbortHandle::abort);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
