//! Which pipelines make sense.

use super::fake::{Diary, Mode, Sink};
use super::{batch, filter, s, spec};
use crate::books::Signal::{self, Logs, Metrics};
use crate::config::Problem;
use crate::graph::ProcessorKind::{self, Aggregate, Batch, Filter};
use crate::graph::check_order;

fn check(signal: Signal, kinds: &[ProcessorKind]) -> Vec<(String, String)> {
    let named: Vec<_> = kinds.iter().enumerate().map(|(n, kind)| (format!("{kind}/{n}"), *kind)).collect();
    let named: Vec<_> = named.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
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
        (Logs, &[Batch, Filter], 1, "`filter/1` works on flow records and must come before `batch/0`"),
        (
            Metrics,
            &[Aggregate, Filter],
            1,
            "`filter/1` works on flow records and must come before `aggregate/0`",
        ),
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

#[test]
fn a_pipeline_names_what_there_is_and_names_it_once() {
    let sink = Sink::new(Mode::Deliver, &Diary::default());
    let processors = || vec![filter("exclude: ['tcp.mss == 1']"), batch(1, s(1))];
    let good = spec(Logs, processors(), &[("out", &sink)]);
    assert_eq!(good.check(&["source", "other"]), []);

    let mut bad = spec(Logs, processors(), &[("out", &sink), ("out", &sink)]);
    bad.receivers = ["source", "sauce", "source"].map(str::to_owned).into();
    let paths: Vec<_> = bad.check(&["source"]).into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["receivers.1", "receivers.2", "exporters.1"]);

    let mut empty = spec(Logs, processors(), &[]);
    empty.receivers.clear();
    let paths: Vec<_> = empty.check(&["source"]).into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["receivers", "exporters"]);
}
