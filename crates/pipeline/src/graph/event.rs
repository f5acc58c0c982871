//! What happens to a running graph: its tasks end, and a drain ends.

use tracing::info;

use super::apply::Graph;
use super::error::Failure;
use super::factory::Factory;
use super::pipeline::RunningPipeline;
use super::task::{Ended, Node};

/// What happens to a running graph.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// What the last change has stopped is drained.
    Drained,
    /// All receivers have finished, or something ended by itself and should not have.
    Finished(Result<(), Failure>),
}

impl<F: Factory> Graph<F> {
    /// Waits until all receivers have finished. A live receiver never does. Cancel-safe.
    ///
    /// # Errors
    /// Something ended by itself and should not have.
    pub async fn finished(&mut self) -> Result<(), Failure> {
        loop {
            if let Event::Finished(result) = self.event().await {
                return result;
            }
        }
    }

    /// Waits until something happens. Cancel-safe.
    pub async fn event(&mut self) -> Event {
        loop {
            let draining = async {
                match &mut self.draining {
                    Some(draining) => draining.await,
                    None => std::future::pending().await,
                }
            };
            let end = tokio::select! {
                late = draining => {
                    self.note_drained(late);
                    return Event::Drained;
                }
                end = self.ends.recv() => end,
            };
            let Some(end) = end else { std::future::pending().await };
            match self.take_notes(end) {
                Ok(false) => {}
                Ok(true) => return Event::Finished(Ok(())),
                Err(failure) => return Event::Finished(Err(failure)),
            }
        }
    }

    /// Takes note of an end. If it was that of the last receiver, also of all ends that are there: a panic is an error
    /// even if everything else has finished.
    fn take_notes(&mut self, end: Ended) -> Result<bool, Failure> {
        let is_last = self.take_note(end)?;
        while is_last && let Ok(end) = self.ends.try_recv() {
            self.take_note(end)?;
        }
        Ok(is_last)
    }

    /// Takes note of the end of a task. Returns true if it was the stage of the last receiver.
    fn take_note(&mut self, end: Ended) -> Result<bool, Failure> {
        if !self.is_current(&end) {
            return Ok(false);
        }
        match end.node {
            Node::Receiver(id) => {
                let Some(running) = self.running.receivers.get_mut(&id) else { return Ok(false) };
                if end.panicked || !running.receiver.has_finished() {
                    return Err(Failure::Receiver(id));
                }
                info!(receiver = id, "finished");
                running.has_ended = true;
                self.show();
                Ok(self.running.receivers.values().all(|running| running.has_ended))
            }
            Node::Pipeline(id) if end.panicked => Err(Failure::Pipeline(id)),
            Node::Outlet { pipeline, exporter } if end.panicked => {
                Err(Failure::Outlet { pipeline, exporter })
            }
            Node::Pipeline(_) | Node::Outlet { .. } => Ok(false),
        }
    }

    /// Whether the task is part of what runs. Other tasks were stopped or replaced, so they are expected to end.
    fn is_current(&self, Ended { node, number, .. }: &Ended) -> bool {
        let running = match node {
            Node::Receiver(id) => self.running.receivers.get(id).map(|running| running.task.number),
            Node::Pipeline(id) => self.running.pipelines.get(id).map(RunningPipeline::number),
            Node::Outlet { pipeline, exporter } => {
                self.running.pipelines.get(pipeline).and_then(|running| running.outlet_number(exporter))
            }
        };
        running == Some(*number)
    }
}
