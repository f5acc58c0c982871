//! The clusters that processors share, and who watches their APIs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use strum::IntoEnumIterator;

use super::cluster::{Cluster, Errors};
use super::config::K8sAttributesConfig;
use super::status::{Resource, Statuses};

const CONNECTED: &str = "1 if the last thing that came from the Kubernetes API was no failure.";
const LAST_EVENT: &str = "When the Kubernetes API last told of an object, in seconds since the Unix epoch.";

/// Watches the API of Kubernetes. This crate knows no HTTP, so that another one does it.
pub trait Watches: Send + Sync {
    /// Starts to watch what a configuration needs, and tells the cluster. The tasks hold it weakly.
    ///
    /// # Errors
    /// It can't be known where the API is or who is to ask. An API that does not answer is no error.
    fn start(&self, config: &K8sAttributesConfig, cluster: &Arc<Cluster>) -> Result<(), String>;
}

/// The clusters that this process watches, by their configuration. Clones share them.
#[derive(Clone, Default)]
pub struct Clusters(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watches: Option<Arc<dyn Watches>>,
    open: Mutex<Vec<(K8sAttributesConfig, Weak<Cluster>)>>,
    errors: Errors,
}

impl Clusters {
    /// Clusters that are watched by `watches`. The default has nobody who watches, and knows nothing.
    pub fn watched_by(watches: Arc<dyn Watches>) -> Clusters {
        Clusters(Arc::new(Shared { watches: Some(watches), ..Shared::default() }))
    }

    /// The cluster of a configuration. The first one to ask starts its watches.
    ///
    /// # Errors
    /// The watches can't start.
    pub fn open(&self, config: &K8sAttributesConfig) -> Result<Arc<Cluster>, String> {
        let mut open = self.clusters();
        open.retain(|(_, cluster)| cluster.strong_count() > 0);
        let known = open.iter().find(|(known, _)| known == config);
        if let Some(cluster) = known.and_then(|(_, cluster)| cluster.upgrade()) {
            return Ok(cluster);
        }
        let cluster = Cluster::new(config, &self.0.errors);
        if let Some(watches) = &self.0.watches {
            watches.start(config, &cluster)?;
        }
        open.push((config.clone(), Arc::downgrade(&cluster)));
        Ok(cluster)
    }

    /// The cluster of a configuration. Waits for the first lists if the configuration says so. Keep it until the processor
    /// has opened it, too.
    ///
    /// # Errors
    /// The watches can't start, or the lists are not complete in time.
    pub(super) async fn ready(&self, config: &K8sAttributesConfig) -> Result<Arc<Cluster>, String> {
        let cluster = self.open(config)?;
        if config.wait_for_metadata {
            let limit = config.wait_for_metadata_timeout;
            let listed = cluster.listed(*limit).await;
            listed.map_err(|missing| {
                format!("wait_for_metadata: the API has not listed these after {limit}: {missing}")
            })?;
        }
        Ok(cluster)
    }

    /// Registers `{namespace}_k8s_*`. If several configurations watch the same resource, a number is the worst one of them.
    pub fn register(&self, meter: &Meter, namespace: &str) {
        self.gauge(meter, format!("{namespace}_k8s_connected"), "", CONNECTED, |statuses, of| {
            statuses.iter().filter_map(|all| all.get(&of)).map(|status| u64::from(status.is_connected)).min()
        });
        self.gauge(meter, format!("{namespace}_k8s_last_event_time"), "s", LAST_EVENT, |statuses, of| {
            let times = statuses.iter().filter_map(|all| all.get(&of)).map(|status| status.last_event);
            times.min().map(|time| time / 1_000_000_000)
        });
        let clusters = self.clone();
        meter
            .u64_observable_gauge(format!("{namespace}_k8s_objects"))
            .with_unit("{object}")
            .with_description("Pods, nodes and services that are known and exist.")
            .with_callback(move |observer| {
                let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
                for (resource, count) in clusters.live().iter().flat_map(|cluster| cluster.counts()) {
                    *sums.entry(resource).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
                }
                for (resource, sum) in sums {
                    observer.observe(sum, &[KeyValue::new("resource", resource)]);
                }
            })
            .build();
        let errors = Arc::clone(&self.0.errors);
        meter
            .u64_observable_counter(format!("{namespace}_k8s_watch_errors"))
            .with_unit("{error}")
            .with_description("Failures of the watches of the Kubernetes API, by resource and reason.")
            .with_callback(move |observer| {
                for ((resource, reason), count) in
                    errors.lock().unwrap_or_else(PoisonError::into_inner).iter()
                {
                    let (resource, reason): (&str, &str) = (resource.into(), reason.into());
                    let labels = [KeyValue::new("resource", resource), KeyValue::new("reason", reason)];
                    observer.observe(*count, &labels);
                }
            })
            .build();
    }

    fn gauge(
        &self,
        meter: &Meter,
        name: String,
        unit: &'static str,
        description: &'static str,
        value: impl Fn(&[Statuses], Resource) -> Option<u64> + Send + Sync + 'static,
    ) {
        let clusters = self.clone();
        meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(move |observer| {
                let statuses: Vec<Statuses> =
                    clusters.live().iter().map(|cluster| cluster.statuses().clone()).collect();
                for resource in Resource::iter() {
                    if let Some(value) = value(&statuses, resource) {
                        observer.observe(value, &[KeyValue::new("resource", <&str>::from(resource))]);
                    }
                }
            })
            .build();
    }

    fn live(&self) -> Vec<Arc<Cluster>> {
        self.clusters().iter().filter_map(|(_, cluster)| cluster.upgrade()).collect()
    }

    fn clusters(&self) -> MutexGuard<'_, Vec<(K8sAttributesConfig, Weak<Cluster>)>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
