//! The status of a component. Other components can watch it.

use tokio::sync::watch;
use tokio::time::Instant;

/// The status of a component, in the terms of the OpenTelemetry Collector (its module `component/componentstatus`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Ok,
    /// Its last attempt failed, and it will try again by itself. Holds the error's message.
    RecoverableError(String),
    /// Its last attempt failed, and the same attempt would fail again. Holds the error's message. Somebody has to look
    /// at the configuration or at the backend. Unlike in the Collector, the next success ends this status, since a
    /// backend may refuse one request and take others.
    PermanentError(String),
    /// It delivers what it still holds. After that it takes nothing new.
    Stopping,
    /// It has ended.
    Stopped,
}

impl Status {
    /// The error's message, if it is an error.
    pub fn error(&self) -> Option<&str> {
        match self {
            Status::RecoverableError(error) | Status::PermanentError(error) => Some(error),
            Status::Ok | Status::Stopping | Status::Stopped => None,
        }
    }
}

/// What a component has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its status.
    pub status: Status,
    /// Since when it works, or since when it fails. Another error is the same failure.
    pub since: Instant,
    /// Whether it has begun an attempt since its start.
    pub has_tried: bool,
    /// Whether an attempt has succeeded since its start.
    pub has_succeeded: bool,
}

impl Default for Reported {
    /// That of a component that has just started.
    fn default() -> Self {
        Reported { status: Status::Ok, since: Instant::now(), has_tried: false, has_succeeded: false }
    }
}

/// Reports the status of a component to all who watch it.
#[derive(Debug)]
pub struct StatusReporter(watch::Sender<Reported>);

impl Default for StatusReporter {
    /// A reporter whose status is [`Status::Ok`].
    fn default() -> Self {
        StatusReporter(watch::Sender::new(Reported::default()))
    }
}

impl StatusReporter {
    /// Reports that an attempt begins. Only the first one changes anything.
    pub fn trying(&self) {
        self.0.send_if_modified(|current| !std::mem::replace(&mut current.has_tried, true));
    }

    /// Reports a status, and wakes the watchers if that changes anything. [`Status::Ok`] is the success of an attempt. A
    /// component that is stopping can only become [`Status::Stopped`]. Everything else that it reports meanwhile is
    /// ignored.
    pub fn report(&self, status: Status) {
        self.0.send_if_modified(|current| {
            let is_taken = match current.status {
                Status::Stopped => false,
                Status::Stopping => status == Status::Stopped,
                _ => true,
            };
            if !is_taken {
                return false;
            }
            let is_first_success = status == Status::Ok && !current.has_succeeded;
            current.has_succeeded |= is_first_success;
            if current.status == status {
                return is_first_success;
            }
            let goes_on = current.status.error().is_some() && status.error().is_some();
            if !goes_on {
                current.since = Instant::now();
            }
            current.status = status;
            true
        });
    }

    /// What is reported now, and its later changes.
    pub fn watch(&self) -> watch::Receiver<Reported> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[test]
    fn watchers_see_changes_and_only_changes() {
        let reporter = StatusReporter::default();
        let mut status = reporter.watch();
        assert_eq!(status.borrow_and_update().status, Status::Ok);
        reporter.report(Status::Ok);
        assert!(status.has_changed().unwrap(), "the first success");
        status.mark_unchanged();
        reporter.report(Status::Ok);
        assert!(!status.has_changed().unwrap());
        let refused = Status::RecoverableError("connection refused".to_owned());
        for _ in 0..2 {
            reporter.report(refused.clone());
        }
        assert!(status.has_changed().unwrap());
        assert_eq!(status.borrow_and_update().status, refused);
        reporter.report(Status::Ok);
        assert_eq!(status.borrow_and_update().status, Status::Ok);
    }

    #[test]
    fn a_component_that_is_stopping_can_only_become_stopped() {
        let reporter = StatusReporter::default();
        let status = reporter.watch();
        reporter.report(Status::Stopping);
        reporter.report(Status::PermanentError("too late".to_owned()));
        reporter.report(Status::Ok);
        assert_eq!(status.borrow().status, Status::Stopping);
        assert!(!status.borrow().has_succeeded);
        reporter.report(Status::Stopped);
        reporter.report(Status::Stopping);
        assert_eq!(status.borrow().status, Status::Stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_lasts_from_its_first_error_to_the_next_success() {
        let start = Instant::now();
        let reporter = StatusReporter::default();
        let second = Duration::from_secs(1);
        let now = |reporter: &StatusReporter| {
            let Reported { since, has_tried, has_succeeded, .. } = reporter.watch().borrow().clone();
            (since - start, has_tried, has_succeeded)
        };
        advance(second).await;
        reporter.trying();
        assert_eq!(now(&reporter), (Duration::ZERO, true, false));
        reporter.report(Status::RecoverableError("refused".to_owned()));
        advance(second).await;
        reporter.report(Status::RecoverableError("timeout".to_owned()));
        reporter.report(Status::PermanentError("unauthenticated".to_owned()));
        assert_eq!(now(&reporter), (second, true, false));
        advance(second).await;
        reporter.report(Status::Ok);
        assert_eq!(now(&reporter), (3 * second, true, true));
        advance(second).await;
        reporter.report(Status::Ok);
        assert_eq!(now(&reporter), (3 * second, true, true));
    }
}
