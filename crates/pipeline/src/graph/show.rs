//! Shows what runs to those who ask the host.

use tokio::time::Instant;

use super::apply::Graph;
use super::factory::Factory;
use crate::running::{PipelineRun, ReceiverRun, ReceiverState, Runs};

impl<F: Factory> Graph<F> {
    /// Shows the plan in force, and what of it runs. To be called after each change.
    pub(super) fn show(&self) {
        let now = Instant::now();
        let state = |id: &String| match self.running.receivers.get(id) {
            Some(running) if running.has_ended => ReceiverState::Finished,
            Some(_) => ReceiverState::Running,
            None => ReceiverState::Stopped,
        };
        let receivers = self.plan.receivers.iter().map(|(id, plan)| {
            (id.clone(), ReceiverRun { produces: plan.produces, state: state(id), since: now })
        });
        let pipelines = self.plan.pipelines.iter().map(|(id, plan)| {
            let pipeline = PipelineRun {
                signal: plan.signal,
                receivers: plan.receivers.clone(),
                processors: plan.processors.iter().map(|(id, _)| id.clone()).collect(),
                exporters: plan.exporters.clone(),
            };
            (id.clone(), pipeline)
        });
        let exporters = self
            .running
            .exporters
            .iter()
            .map(|(key, running)| ((key.id.clone(), key.signal), running.exporter.status()));
        self.host.running.replace(Runs {
            receivers: receivers.collect(),
            pipelines: pipelines.collect(),
            exporters: exporters.collect(),
            ..Runs::default()
        });
    }
}
