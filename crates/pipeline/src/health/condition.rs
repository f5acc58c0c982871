//! The condition of a component, or of several together.

use strum::IntoStaticStr;
use tokio::time::Instant;

use crate::status::{Reported, Status};

/// What a component does, in the words of the OpenTelemetry Collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
pub enum State {
    /// It works.
    #[strum(serialize = "StatusOK")]
    Ok,
    /// It has ended.
    #[strum(serialize = "StatusStopped")]
    Stopped,
    /// It delivers what it still holds.
    #[strum(serialize = "StatusStopping")]
    Stopping,
    /// It has not shown yet that it works.
    #[strum(serialize = "StatusStarting")]
    Starting,
    /// It fails, and tries again by itself.
    #[strum(serialize = "StatusRecoverableError")]
    RecoverableError,
    /// It fails, and somebody has to mend something.
    #[strum(serialize = "StatusPermanentError")]
    PermanentError,
}

/// The condition of a component, or the worst of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it does.
    pub state: State,
    /// What is wrong.
    pub error: Option<String>,
    /// Since when it does that; `None` if that is not known.
    pub since: Option<Instant>,
    /// Whether it does its work and its numbers can be trusted.
    pub is_healthy: bool,
    /// Whether it does its work.
    pub is_ready: bool,
}

impl Condition {
    /// That of something that works.
    pub(super) fn ok(since: Option<Instant>) -> Condition {
        Condition { state: State::Ok, error: None, since, is_healthy: true, is_ready: true }
    }

    /// That of something that does not do its work.
    pub(super) fn failed(state: State, error: String, since: Option<Instant>) -> Condition {
        Condition { state, error: Some(error), since, is_healthy: false, is_ready: false }
    }

    /// What a component has reported of itself. An error is still in good health.
    pub(super) fn reported(reported: &Reported) -> Condition {
        let state = match reported.status {
            Status::Ok => State::Ok,
            Status::RecoverableError(_) => State::RecoverableError,
            Status::PermanentError(_) => State::PermanentError,
            Status::Stopping => State::Stopping,
            Status::Stopped => State::Stopped,
        };
        Condition {
            state,
            error: reported.status.error().map(str::to_owned),
            ..Condition::ok(Some(reported.since))
        }
    }

    /// The worst of several, which is neither healthy nor ready if one of them is not.
    pub fn worst<'c>(all: impl IntoIterator<Item = &'c Condition>) -> Condition {
        let mut worst: Option<Condition> = None;
        for condition in all {
            let Some(known) = &mut worst else {
                worst = Some(condition.clone());
                continue;
            };
            let (is_healthy, is_ready) =
                (known.is_healthy && condition.is_healthy, known.is_ready && condition.is_ready);
            let rank = |condition: &Condition| (!condition.is_ready, !condition.is_healthy, condition.state);
            if rank(condition) > rank(known) {
                *known = condition.clone();
            }
            (known.is_healthy, known.is_ready) = (is_healthy, is_ready);
        }
        worst.unwrap_or_else(|| Condition::ok(None))
    }
}
