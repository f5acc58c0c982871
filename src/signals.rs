//! The signals that a service manager sends.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Handlers of the signals, in force once they are installed.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To stop; with the signal's name.
    Stop(&'static str),
    /// To read the configuration again.
    Reload,
}

impl Signals {
    /// Replaces the default actions, which would end the process without a drain.
    pub(crate) fn install() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next request. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Request::Stop("SIGINT"),
            _ = self.hangup.recv() => Request::Reload,
        }
    }

    /// Waits for a request to stop, and returns the signal's name. Other requests have no effect meanwhile.
    pub(crate) async fn stop(&mut self) -> &'static str {
        loop {
            if let Request::Stop(signal) = self.next().await {
                return signal;
            }
        }
    }
}
