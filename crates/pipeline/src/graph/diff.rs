//! The difference of two plans: what to keep, start, stop and connect anew. It is computed from the plans alone.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{ExporterKey, PipelinePlan, Plan};

/// The changes that turn one plan into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) receivers: Difference<String>,
    pub(super) exporters: Difference<ExporterKey>,
    pub(super) pipelines: Difference<String>,
    /// Pipelines that are kept and whose receivers or exporters change.
    pub(super) rewire: BTreeSet<String>,
    /// Pipelines that are started, and that take over the sums of the pipeline that they replace. Other pipelines that
    /// replace one begin with new sums.
    pub(super) inherit: BTreeSet<String>,
}

/// The changes of one kind of component. A component that has changed is in `stop` and in `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference<K> {
    pub(super) keep: BTreeSet<K>,
    pub(super) start: BTreeSet<K>,
    pub(super) stop: BTreeSet<K>,
}

/// Compares two plans.
pub(super) fn diff<R: PartialEq, E: PartialEq>(old: &Plan<R, E>, new: &Plan<R, E>) -> Changes {
    let receivers = difference(&old.receivers, &new.receivers, PartialEq::eq);
    let exporters = difference(&old.exporters, &new.exporters, PartialEq::eq);
    let pipelines = difference(&old.pipelines, &new.pipelines, works_alike);
    let is_rewired = |id: &&String| {
        let (Some(old), Some(new)) = (old.pipelines.get(*id), new.pipelines.get(*id)) else { return false };
        old.receivers != new.receivers
            || old.exporters != new.exporters
            || new.receivers.iter().any(|id| receivers.start.contains(id))
            || new.exporter_keys().any(|key| exporters.start.contains(&key))
    };
    let has_heir = |id: &&String| {
        let sums =
            |plan: &Plan<R, E>| Some(plan.pipelines.get(*id)?.aggregate()?).map(|(id, c)| (id.to_owned(), c));
        sums(old).is_some_and(|before| sums(new) == Some(before))
    };
    Changes {
        rewire: pipelines.keep.iter().filter(is_rewired).cloned().collect(),
        inherit: pipelines.start.iter().filter(has_heir).cloned().collect(),
        receivers,
        exporters,
        pipelines,
    }
}

/// Whether a pipeline's task can go on: at most its receivers and exporters change.
fn works_alike(old: &PipelinePlan, new: &PipelinePlan) -> bool {
    old.signal == new.signal && old.processors == new.processors
}

fn difference<K: Ord + Clone, V>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    is_same: impl Fn(&V, &V) -> bool,
) -> Difference<K> {
    let kept =
        |key: &&K| matches!((old.get(*key), new.get(*key)), (Some(old), Some(new)) if is_same(old, new));
    let keep: BTreeSet<K> = new.keys().filter(kept).cloned().collect();
    let others = |plan: &BTreeMap<K, V>| plan.keys().filter(|key| !keep.contains(*key)).cloned().collect();
    Difference { start: others(new), stop: others(old), keep }
}

#[cfg(test)]
mod tests;
