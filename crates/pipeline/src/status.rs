//! The status of a component. Other components can watch it.

use tokio::sync::watch;

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

/// Reports the status of a component to all who watch it.
#[derive(Debug)]
pub struct StatusReporter(watch::Sender<Status>);

impl Default for StatusReporter {
    /// A reporter whose status is [`Status::Ok`].
    fn default() -> Self {
        StatusReporter(watch::Sender::new(Status::Ok))
    }
}

impl StatusReporter {
    /// Reports a status, and wakes the watchers if it differs from the status before. A component that is stopping can
    /// only become [`Status::Stopped`]. Everything else that it reports meanwhile is ignored.
    pub fn report(&self, status: Status) {
        self.0.send_if_modified(|current| {
            let changes = match current {
                Status::Stopped => false,
                Status::Stopping => status == Status::Stopped,
                _ => *current != status,
            };
            if changes {
                *current = status;
            }
            changes
        });
    }

    /// The current status and its later changes.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn watchers_see_changes_and_only_changes() {
        let reporter = StatusReporter::default();
        let mut status = reporter.watch();
        assert_eq!(*status.borrow_and_update(), Status::Ok);
        reporter.report(Status::Ok);
        assert!(!status.has_changed().unwrap());
        let refused = Status::RecoverableError("connection refused".to_owned());
        for _ in 0..2 {
            reporter.report(refused.clone());
        }
        assert!(status.has_changed().unwrap());
        assert_eq!(*status.borrow_and_update(), refused);
        reporter.report(Status::Ok);
        assert_eq!(*status.borrow_and_update(), Status::Ok);
    }

    #[test]
    fn a_component_that_is_stopping_can_only_become_stopped() {
        let reporter = StatusReporter::default();
        let status = reporter.watch();
        reporter.report(Status::Stopping);
        reporter.report(Status::PermanentError("too late".to_owned()));
        reporter.report(Status::Ok);
        assert_eq!(*status.borrow(), Status::Stopping);
        reporter.report(Status::Stopped);
        reporter.report(Status::Stopping);
        assert_eq!(*status.borrow(), Status::Stopped);
    }
}
