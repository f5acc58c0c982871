//! What processors share, how long the start waits, and what the metrics say.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use super::*;
use crate::processors::k8s_attributes::{Clusters, Reason, Resource};

#[tokio::test(start_paused = true)]
async fn a_cluster_is_shared_and_its_watches_end_with_it() {
    let clusters = Clusters::default();
    let one = clusters.open(&config("{}")).unwrap();
    let two = clusters.open(&config("{}")).unwrap();
    assert!(Arc::ptr_eq(&one, &two));
    assert!(!Arc::ptr_eq(&one, &clusters.open(&config("peers: off")).unwrap()), "another configuration");
    let watch = tokio::spawn(std::future::pending::<()>());
    one.watched_by(Resource::Pods, watch.abort_handle());
    one.pod(&pod("a", "10.1.0.7", START));
    drop(one);
    tokio::task::yield_now().await;
    assert!(!watch.is_finished());
    drop(two);
    assert!(watch.await.unwrap_err().is_cancelled());
    assert_eq!(clusters.open(&config("{}")).unwrap().counts()[0], ("pods", 0), "it begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_first_lists() {
    let clusters = Clusters::default();
    let waiting = config("{ wait_for_metadata: true, wait_for_metadata_timeout: 10s }");
    let cluster = clusters.open(&waiting).unwrap();
    let idle = || tokio::spawn(std::future::pending::<()>()).abort_handle();
    cluster.watched_by(Resource::Pods, idle());
    cluster.watched_by(Resource::Nodes, idle());
    cluster.listed_all(Resource::Nodes, &HashSet::new(), 0);
    cluster.failed(Resource::Pods, Reason::Forbidden, &"no");
    let start = tokio::time::Instant::now();
    let error = waiting.ready(&clusters).await.err().unwrap();
    assert_eq!(error, "wait_for_metadata: the API has not listed these after 10s: pods (no)");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    let told = Arc::clone(&cluster);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        told.listed_all(Resource::Pods, &HashSet::new(), 0);
    });
    assert!(Arc::ptr_eq(&waiting.ready(&clusters).await.unwrap(), &cluster));
    assert_eq!(start.elapsed(), Duration::from_secs(13));
    let at_once = config("{}");
    let other = clusters.open(&at_once).unwrap();
    other.watched_by(Resource::Pods, idle());
    assert!(at_once.ready(&clusters).await.is_ok(), "without wait_for_metadata nothing is waited for");
    assert_eq!(start.elapsed(), Duration::from_secs(13));
}

/// The self-telemetry of one process.
struct Telemetry {
    exporter: InMemoryMetricExporter,
    provider: SdkMeterProvider,
}

impl Telemetry {
    fn of(clusters: &Clusters) -> Telemetry {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        clusters.register(&provider.meter("test"), "own");
        Telemetry { exporter, provider }
    }
}

/// The values of the metrics, as `name resource [reason] value`, sorted.
fn metrics(Telemetry { exporter, provider }: &Telemetry) -> Vec<String> {
    exporter.reset();
    provider.force_flush().unwrap();
    let mut found = Vec::new();
    for metric in exporter
        .get_finished_metrics()
        .unwrap()
        .iter()
        .flat_map(|all| all.scope_metrics())
        .flat_map(|scope| scope.metrics())
    {
        let mut add = |value: u64, attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
            let mut labels: Vec<String> = attributes.map(|label| label.value.to_string()).collect();
            labels.sort();
            found.push(format!("{} {} {value}", metric.name(), labels.join(" ")));
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                gauge.data_points().for_each(|point| add(point.value(), &mut point.attributes()));
            }
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                sum.data_points().for_each(|point| add(point.value(), &mut point.attributes()));
            }
            other => panic!("{other:?}"),
        }
    }
    found.sort();
    found
}

#[test]
fn the_metrics_say_what_is_known_and_what_failed() {
    let clusters = Clusters::default();
    let telemetry = Telemetry::of(&clusters);
    assert_eq!(metrics(&telemetry), [""; 0]);
    let cluster = clusters.open(&config("{}")).unwrap();
    cluster.answered(Resource::Pods);
    cluster.failed(Resource::Nodes, Reason::Forbidden, &"no");
    cluster.failed(Resource::Nodes, Reason::Forbidden, &"no");
    cluster.pod(&pod("a", "10.1.0.7", START));
    let expected = [
        "own_k8s_connected nodes 0",
        "own_k8s_connected pods 1",
        "own_k8s_last_event_time nodes 0",
        "own_k8s_objects nodes 0",
        "own_k8s_objects pods 1",
        "own_k8s_objects services 0",
        "own_k8s_watch_errors forbidden nodes 2",
    ];
    let mut found = metrics(&telemetry);
    found.retain(|line| !line.starts_with("own_k8s_last_event_time pods "));
    assert_eq!(found, expected);
    drop(cluster);
    assert_eq!(metrics(&telemetry), ["own_k8s_watch_errors forbidden nodes 2"], "a counter does not fall");
}
