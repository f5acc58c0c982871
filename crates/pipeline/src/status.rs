//! The status of a component, for everybody who wants to watch it.

use tokio::sync::watch;

/// How a component does, in the words of the OpenTelemetry Collector (its module `component/componentstatus`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Ok,
    /// Its last attempt failed, and it tries again by itself: the error's message.
    RecoverableError(String),
    /// Its last attempt failed in a way that no other attempt mends: the error's message. Somebody has to look at the
    /// configuration or at the backend. The next success ends this status, unlike in the Collector: a backend refuses
    /// single requests, and takes others.
    PermanentError(String),
    /// It delivers what it still holds, and takes nothing new afterwards.
    Stopping,
    /// It has ended.
    Stopped,
}

/// The end of a component at which it reports its status.
#[derive(Debug)]
pub struct StatusReporter(watch::Sender<Status>);

impl Default for StatusReporter {
    /// A reporter of a component that works.
    fn default() -> Self {
        StatusReporter(watch::Sender::new(Status::Ok))
    }
}

impl StatusReporter {
    /// Reports a status, and wakes the watchers where it is another than before. A component that stops can only become
    /// [`Status::Stopped`]: reports of errors that come meanwhile are ignored.
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

    /// The status now and from now on.
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
    fn what_stops_can_only_have_stopped() {
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
