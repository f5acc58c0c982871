//! The signals that a service manager sends.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Handlers of the signals, in force once they are installed.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether SIGHUP was ignored before, as `nohup` does it.
    ignored_hangup: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To stop; with the signal's name.
    Stop(&'static str),
    /// To read the configuration again, by SIGHUP.
    Reload,
}

impl Signals {
    /// Replaces the default actions, which would end the process without a drain.
    pub(crate) fn install() -> io::Result<Signals> {
        let ignored_hangup = ignores_hangup();
        Ok(Signals {
            ignored_hangup,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Whether SIGHUP means that the terminal is gone, where there is nothing to reload. After `nohup` it means nothing.
    pub(crate) fn hangup_stops(&self) -> bool {
        !self.ignored_hangup
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

/// Whether this process ignores SIGHUP. `SigIgn` has one bit per signal (proc_pid_status(5)).
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (SignalKind::hangup().as_raw_value() - 1) & 1 == 1
}
