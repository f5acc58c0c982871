//! What runs now, as plain values: for the health of the process, and for pages that show it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strum::IntoStaticStr;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::books::Signal;
use crate::component::Produces;
use crate::status::Reported;

/// What runs now. The graph writes it after each change. Clones share it.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<Runs>>);

/// What runs at one moment.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// What the process is doing.
    pub phase: Phase,
    /// Receivers of the plan in force, by id.
    pub receivers: BTreeMap<String, ReceiverRun>,
    /// By id.
    pub pipelines: BTreeMap<String, PipelineRun>,
    /// What exporters report, by id and signal.
    pub exporters: BTreeMap<(String, Signal), watch::Receiver<Reported>>,
}

/// What the process is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Phase {
    /// Not everything has started yet.
    #[default]
    Starting,
    /// Everything has started.
    Running,
    /// It drains, and takes nothing new.
    Stopping,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverRun {
    /// What it makes.
    pub produces: Produces,
    /// What it does.
    pub state: ReceiverState,
    /// Since when.
    pub since: Instant,
}

/// What a receiver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ReceiverState {
    /// It receives.
    Running,
    /// It has handed over everything, and will send nothing more.
    Finished,
    /// It should run and does not.
    Stopped,
}

/// A pipeline: ids of its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRun {
    /// What it carries.
    pub signal: Signal,
    /// The receivers that feed it.
    pub receivers: Vec<String>,
    /// Its processors, in order.
    pub processors: Vec<String>,
    /// The exporters that it feeds.
    pub exporters: Vec<String>,
}

impl Running {
    /// What runs now.
    pub fn now(&self) -> Runs {
        self.lock().clone()
    }

    /// Notes what the process is doing from now on.
    pub fn enter(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// Replaces everything but the phase. A receiver that goes on as it was keeps the time since when it does.
    pub(crate) fn replace(&self, mut runs: Runs) {
        let mut now = self.lock();
        for (id, receiver) in &mut runs.receivers {
            if let Some(before) = now.receivers.get(id).filter(|before| before.state == receiver.state) {
                receiver.since = before.since;
            }
        }
        runs.phase = now.phase;
        *now = runs;
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        // No code that can panic runs between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
