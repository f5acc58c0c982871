//! Which pipelines are accepted, and the errors for the others.

use super::*;
use crate::books::Signal::{Logs, Metrics};
use crate::processors::Stage::{Aggregate, Batch, Flow as Filter};

fn check(signal: Signal, stages: &[Stage]) -> Vec<(String, String)> {
    let name = |stage: &Stage| if *stage == Filter { "filter" } else { (*stage).into() };
    let named = stages.iter().enumerate().map(|(n, stage)| (format!("{}/{n}", name(stage)), *stage));
    let named: Vec<_> = named.collect();
    let named: Vec<_> = named.iter().map(|(id, stage)| (id.as_str(), *stage)).collect();
    check_order(signal, &named).into_iter().map(|Problem { path, message }| (path, message)).collect()
}

#[test]
fn right_orders() {
    for (signal, kinds) in [
        (Logs, &[][..]),
        (Logs, &[Filter, Filter, Batch]),
        (Metrics, &[]),
        (Metrics, &[Batch]),
        (Metrics, &[Aggregate]),
        (Metrics, &[Filter, Filter, Aggregate, Batch]),
        (Metrics, &[Filter, Batch]),
    ] {
        assert_eq!(check(signal, kinds), [], "{signal} {kinds:?}");
    }
}

#[test]
fn wrong_orders() {
    for (signal, kinds, index, message) in [
        (
            Logs,
            &[Aggregate][..],
            0,
            "`aggregate/0`: aggregate makes metric points; only metrics pipelines have one",
        ),
        (Logs, &[Batch, Filter], 1, "`filter/1` works on records and must come before `batch/0`"),
        (Metrics, &[Aggregate, Filter], 1, "`filter/1` works on records and must come before `aggregate/0`"),
        (Metrics, &[Batch, Aggregate], 1, "`aggregate/1` must come before `batch/0`: batch is last"),
        (
            Metrics,
            &[Aggregate, Aggregate],
            1,
            "`aggregate/1`: a pipeline has at most one aggregate, and `aggregate/0` is one already",
        ),
        (
            Logs,
            &[Filter, Batch, Batch],
            2,
            "`batch/2`: a pipeline has at most one batch, and `batch/1` is one already",
        ),
    ] {
        assert_eq!(check(signal, kinds), [(format!("processors.{index}"), message.to_owned())], "{kinds:?}");
    }
    assert_eq!(check(Metrics, &[Batch, Aggregate, Filter, Batch]).len(), 3, "all problems at once");
}

/// Two receivers of records, one of metric points, one whose configuration can't be read; a filter; an exporter.
fn check_names_of(
    signal: Signal,
    receivers: &[&str],
    processors: &[&str],
    exporters: &[&str],
) -> Vec<(String, String)> {
    let known = [("source", Some(Produces::Records)), ("stats", Some(Produces::Points)), ("wrong", None)];
    let declared = Declared {
        receivers: &known.map(|(id, produces)| (id.to_owned(), produces)).into(),
        processors: &[("filter".to_owned(), Some(Filter)), ("odd".to_owned(), None)].into(),
        exporters: &["out".to_owned()].into(),
    };
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let (receivers, processors, exporters) = (owned(receivers), owned(processors), owned(exporters));
    let outline = Outline { signal, receivers: &receivers, processors: &processors, exporters: &exporters };
    check_pipeline(&outline, &declared).into_iter().map(|Problem { path, message }| (path, message)).collect()
}

#[test]
fn a_pipeline_names_components_that_exist_and_names_each_once() {
    assert_eq!(check_names_of(Logs, &["source", "wrong"], &["filter", "odd"], &["out"]), []);
    let wrong = check_names_of(Logs, &["source", "sauce", "source"], &["fliter"], &["out", "out"]);
    let paths: Vec<_> = wrong.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["receivers.1", "receivers.2", "processors.0", "exporters.1"]);
    assert!(wrong[0].1.ends_with("did you mean source?"), "{wrong:?}");
    assert_eq!(wrong[1].1, "source is named twice in this list");
    let empty = check_names_of(Metrics, &[], &[], &[]);
    let messages: Vec<_> = empty.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        ["has no receivers; expected at least one", "has no exporters; expected at least one"]
    );
}

#[test]
fn metric_points_enter_metrics_pipelines_only() {
    assert_eq!(check_names_of(Metrics, &["source", "stats"], &[], &["out"]), []);
    let message = "`stats` makes metric points; only metrics pipelines take them".to_owned();
    assert_eq!(check_names_of(Logs, &["stats"], &[], &["out"]), [("receivers.0".to_owned(), message)]);
}
