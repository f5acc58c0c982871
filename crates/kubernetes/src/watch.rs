//! One watch: tells the cluster what the API shows, until the cluster is not needed any more.

use std::collections::HashSet;
use std::sync::Weak;

use futures::StreamExt;
use k8s_openapi::api::batch::v1;
use kube::Resource as _;
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use otel_tcpretrans_pipeline::processors::k8s_attributes::{Cluster, Resource};

use crate::errors::{described, reason};
use crate::objects::{self, NodeObject, PodObject, ServiceObject};

/// An object of the API, and how the cluster is told of it.
pub(crate) trait Told:
    kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static
{
    /// It is as it is here.
    fn shown(self, cluster: &Cluster);
    /// It was deleted. This is its last state.
    fn deleted(self, cluster: &Cluster);
}

impl Told for PodObject {
    fn shown(self, cluster: &Cluster) {
        cluster.pod(&objects::pod(self));
    }

    fn deleted(self, cluster: &Cluster) {
        cluster.pod_deleted(&objects::pod(self));
    }
}

impl Told for NodeObject {
    fn shown(self, cluster: &Cluster) {
        cluster.node(&objects::node(self));
    }

    fn deleted(self, cluster: &Cluster) {
        cluster.node_deleted(objects::uid(self.meta()));
    }
}

impl Told for ServiceObject {
    fn shown(self, cluster: &Cluster) {
        cluster.service(&objects::service(self));
    }

    fn deleted(self, cluster: &Cluster) {
        cluster.service_deleted(objects::uid(self.meta()));
    }
}

impl Told for PartialObjectMeta<v1::Job> {
    fn shown(self, cluster: &Cluster) {
        cluster.job(&objects::job(self.metadata));
    }

    fn deleted(self, cluster: &Cluster) {
        cluster.job_deleted(objects::uid(&self.metadata));
    }
}

/// Watches until the cluster is gone. After a failure it waits for a growing, random time, at most a minute.
pub(crate) async fn watch<K: Told>(
    api: Api<K>,
    config: watcher::Config,
    resource: Resource,
    cluster: Weak<Cluster>,
) {
    let mut events = watcher(api, config).default_backoff().boxed();
    let mut listed = HashSet::new();
    // When the API last told of something before a list began. A list that fails half way does not count.
    let mut before = None;
    while let Some(event) = events.next().await {
        let Some(cluster) = cluster.upgrade() else { return };
        match event {
            Ok(Event::Init) => {
                listed.clear();
                before.get_or_insert_with(|| cluster.last_event(resource));
            }
            Ok(Event::InitApply(object)) => {
                listed.insert(objects::uid(object.meta()).to_owned());
                object.shown(&cluster);
            }
            Ok(Event::InitDone) => {
                cluster.listed_all(resource, &std::mem::take(&mut listed), before.take().unwrap_or_default());
            }
            Ok(Event::Apply(object)) => object.shown(&cluster),
            Ok(Event::Delete(object)) => object.deleted(&cluster),
            Err(error) => cluster.failed(resource, reason(&error), &described(&error)),
        }
    }
}
