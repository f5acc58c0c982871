//! The differences of plans, without running anything.

use super::*;
use crate::books::Signal;
use crate::component::Produces;
use crate::graph::plan::ReceiverPlan;
use crate::processors::{AggregateConfig, BatchConfig, ProcessorConfig};

type TestPlan = Plan<&'static str, &'static str>;

/// One receiver `in`, pipelines `logs` and `metrics`, and an exporter `out` of both signals.
fn plan() -> TestPlan {
    let pipeline = |signal| PipelinePlan {
        signal,
        receivers: vec!["in".to_owned()],
        processors: Vec::new(),
        exporters: vec!["out".to_owned()],
    };
    Plan {
        receivers: [("in".to_owned(), ReceiverPlan { produces: Produces::Records, config: "a" })].into(),
        exporters: Signal::ALL.map(|signal| (key("out", signal), "a")).into(),
        pipelines: Signal::ALL.map(|signal| (signal.to_string(), pipeline(signal))).into(),
    }
}

fn key(id: &str, signal: Signal) -> ExporterKey {
    ExporterKey { id: id.to_owned(), signal }
}

fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

fn changed(change: impl FnOnce(&mut TestPlan)) -> Changes {
    let mut new = plan();
    change(&mut new);
    diff(&plan(), &new)
}

fn batch() -> (String, ProcessorConfig) {
    ("batch".to_owned(), ProcessorConfig::Batch(BatchConfig::default()))
}

#[test]
fn the_same_plan_changes_nothing() {
    let changes = changed(|_| {});
    assert_eq!(changes.receivers.keep, set(["in"]));
    assert_eq!(changes.pipelines.keep, set(["logs", "metrics"]));
    assert_eq!(changes.exporters.keep, Signal::ALL.map(|signal| key("out", signal)).into());
    assert!(changes.rewire.is_empty() && changes.inherit.is_empty());
    assert!(changes.receivers.start.is_empty() && changes.receivers.stop.is_empty());
}

#[test]
fn from_nothing_everything_starts_and_to_nothing_everything_stops() {
    let start = diff(&Plan::default(), &plan());
    assert_eq!(start.pipelines.start, set(["logs", "metrics"]));
    assert_eq!((start.receivers.start.len(), start.exporters.start.len()), (1, 2));
    assert!(start.rewire.is_empty() && start.inherit.is_empty());
    let stop = diff(&plan(), &Plan::default());
    assert_eq!(stop.pipelines.stop, start.pipelines.start);
    assert_eq!((stop.receivers.stop, stop.exporters.stop), (start.receivers.start, start.exporters.start));
}

#[test]
fn a_changed_component_is_stopped_and_started_and_its_pipelines_are_rewired() {
    let changes = changed(|plan| {
        plan.exporters.insert(key("out", Signal::Logs), "b");
    });
    assert_eq!(changes.exporters.start, [key("out", Signal::Logs)].into());
    assert_eq!(changes.exporters.stop, changes.exporters.start);
    assert_eq!(changes.exporters.keep, [key("out", Signal::Metrics)].into());
    assert_eq!((changes.pipelines.keep, changes.rewire), (set(["logs", "metrics"]), set(["logs"])));

    let changes = changed(|plan| plan.receivers.values_mut().for_each(|receiver| receiver.config = "b"));
    assert_eq!((&changes.receivers.start, &changes.receivers.stop), (&set(["in"]), &set(["in"])));
    assert_eq!(changes.rewire, set(["logs", "metrics"]));
}

#[test]
fn other_receivers_or_exporters_rewire_a_pipeline_and_do_not_stop_it() {
    let changes = changed(|plan| {
        plan.exporters.insert(key("more", Signal::Logs), "a");
        if let Some(logs) = plan.pipelines.get_mut("logs") {
            logs.exporters.push("more".to_owned());
        }
    });
    assert_eq!(changes.pipelines.keep, set(["logs", "metrics"]));
    assert_eq!(changes.rewire, set(["logs"]));
    assert_eq!(changes.exporters.start, [key("more", Signal::Logs)].into());
}

#[test]
fn other_processors_replace_a_pipeline_and_its_sums_go_on_if_aggregate_is_the_same() {
    let with = |processors: Vec<(String, ProcessorConfig)>| {
        changed(|plan| {
            plan.pipelines.values_mut().for_each(|pipeline| pipeline.processors = processors.clone())
        })
    };
    let changes = with(vec![batch()]);
    assert_eq!(
        (&changes.pipelines.start, &changes.pipelines.stop),
        (&set(["logs", "metrics"]), &set(["logs", "metrics"]))
    );
    assert_eq!(changes.inherit, set(["metrics"]), "the defaults on both sides");
    assert!(changes.rewire.is_empty());

    let other = AggregateConfig { max_series: 7, ..AggregateConfig::default() };
    let aggregate = |id: &str, config| (id.to_owned(), ProcessorConfig::Aggregate(config));
    assert_eq!(with(vec![aggregate("aggregate", other)]).inherit, set([]));
    let renamed = with(vec![aggregate("aggregate/mine", AggregateConfig::default())]);
    assert_eq!(renamed.inherit, set([]), "another component");
}
