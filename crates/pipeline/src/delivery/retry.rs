//! Retries of one request: how long to wait between attempts, and when to give up.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::request::Request;
use super::transport::{Accepted, SendError, Transport};
use crate::books::DropReason;
use crate::config::{Interval, Problem, fit};

/// Longest wait between two attempts after shutdown has begun. It is short, so that many attempts fit into the time
/// that is left.
const LONGEST_WAIT_IN_SHUTDOWN: Duration = Duration::from_secs(1);

/// `retry_on_failure`, with the Collector's keys and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// Whether requests are retried.
    pub enabled: bool,
    /// Wait before the second attempt.
    pub initial_interval: Interval,
    /// Longest wait between two attempts, before randomization.
    pub max_interval: Interval,
    /// Factor by which each wait is longer than the wait before.
    pub multiplier: f64,
    /// A wait is drawn from `interval * (1 ± randomization_factor)`.
    pub randomization_factor: f64,
    /// A request is dropped if its next attempt would be more than this time after its first attempt. With 0 it is
    /// retried without a limit.
    pub max_elapsed_time: Interval,
}

impl Default for RetryConfig {
    fn default() -> Self {
        RetryConfig {
            enabled: true,
            initial_interval: Interval::from_secs(5),
            max_interval: Interval::from_secs(30),
            multiplier: 1.5,
            randomization_factor: 0.5,
            max_elapsed_time: Interval::from_secs(300),
        }
    }
}

impl RetryConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.enabled {
            return problems;
        }
        for (key, time) in [("initial_interval", self.initial_interval), ("max_interval", self.max_interval)]
        {
            problems.extend(fit(*time).err().map(|message| Problem::at(key, message)));
        }
        if !(self.multiplier.is_finite() && self.multiplier >= 1.0) {
            problems.push(Problem::at("multiplier", "must be at least 1, or the waits would shrink"));
        }
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            problems.push(Problem::at("randomization_factor", "must be between 0 and 1"));
        }
        if !self.max_elapsed_time.is_zero() && self.max_elapsed_time < self.initial_interval {
            problems.push(Problem::at(
                "max_elapsed_time",
                "is shorter than initial_interval, so that nothing would be retried; 0 never gives up",
            ));
        }
        problems
    }

    /// The waits between attempts, randomized. The iterator has no end.
    fn waits(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let spread = self.randomization_factor;
        ExponentialBuilder::new()
            .with_min_delay(*self.initial_interval.min(self.max_interval))
            .with_max_delay(*self.max_interval)
            .with_factor(self.multiplier as f32)
            .without_max_times()
            .build()
            .map(move |wait| wait.mul_f64(1.0 - spread + 2.0 * spread * fastrand::f64()))
    }
}

/// Why a request was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The shutdown's deadline passed.
    Deadline,
    /// The backend refused it with an error that must not be retried.
    Refused {
        /// The error's message.
        error: String,
    },
    /// It was stored for longer than `retention`.
    Expired {
        /// The message of the last error.
        error: String,
    },
    /// It is stored, and the next start sends it.
    Kept {
        /// The message of the last error, if an attempt has failed.
        error: Option<String>,
    },
    /// It failed with a temporary error, and is not sent again.
    NoMoreAttempts {
        /// The message of the last error.
        error: String,
        /// Why there is no other attempt.
        why: &'static str,
    },
}

impl Failure {
    /// The reason in the books. `None` if the request is not dropped.
    pub(super) fn drop_reason(&self) -> Option<DropReason> {
        match self {
            Failure::Deadline => Some(DropReason::Shutdown),
            Failure::Refused { .. } => Some(DropReason::PermanentError),
            Failure::Expired { .. } => Some(DropReason::Expired),
            Failure::NoMoreAttempts { .. } => Some(DropReason::RetriesExhausted),
            Failure::Kept { .. } => None,
        }
    }
}

/// Where a request is while it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kept {
    /// In memory: it is retried as long as the configuration says, also during a shutdown.
    InMemory,
    /// On disk: it is retried for so long. After a shutdown has begun, one attempt more is made, and it stays on disk if
    /// that fails.
    OnDisk(Duration),
}

/// Sends `request` until the backend takes it or refuses it permanently, until its time is over, or until the deadline in
/// `shutdown` passes. Before each wait for another attempt it calls `will_retry` with the error and the length of the
/// wait.
///
/// Retries go on during shutdown, with short waits. If a request waits when shutdown begins, its next attempt is made
/// at once. So a backend that comes back in time gets everything. A request on disk has only that one attempt.
pub(super) async fn send<T: Transport>(
    transport: &T,
    (request, kept): (&Request, Kept),
    config: &RetryConfig,
    will_retry: impl Fn(String, Duration),
    shutdown: &mut watch::Receiver<Option<Instant>>,
) -> Result<Accepted, Failure> {
    let started = Instant::now();
    let longest = match kept {
        Kept::InMemory if config.max_elapsed_time.is_zero() => None,
        Kept::InMemory => Some(*config.max_elapsed_time),
        Kept::OnDisk(patience) => Some(patience),
    };
    let mut waits = config.waits();
    loop {
        let attempt = tokio::select! {
            biased;
            () = deadline(shutdown.clone()) => return Err(match kept {
                Kept::InMemory => Failure::Deadline,
                Kept::OnDisk(_) => Failure::Kept { error: None },
            }),
            attempt = transport.send(request) => attempt,
        };
        let (error, after) = match attempt {
            Ok(accepted) => return Ok(accepted),
            Err(SendError::Permanent { message }) => return Err(Failure::Refused { error: message }),
            Err(SendError::Retryable { message, after }) => (message, after),
        };
        if !config.enabled {
            return Err(Failure::NoMoreAttempts { error, why: "retries are disabled" });
        }
        let end = *shutdown.borrow();
        if matches!(kept, Kept::OnDisk(_)) && end.is_some() {
            return Err(Failure::Kept { error: Some(error) });
        }
        let longest_wait = if end.is_some() { LONGEST_WAIT_IN_SHUTDOWN } else { Duration::MAX };
        // The iterator has no end. An end would mean to give up.
        let wait = waits.next().map(|wait| wait.max(after.unwrap_or_default()).min(longest_wait));
        let next = wait.and_then(|wait| Instant::now().checked_add(wait));
        let is_within_time =
            |next: &Instant| longest.is_none_or(|longest| next.duration_since(started) <= longest);
        let Some(next) = next.filter(is_within_time) else {
            return Err(match kept {
                Kept::OnDisk(_) => Failure::Expired { error },
                Kept::InMemory => {
                    Failure::NoMoreAttempts { error, why: "the next attempt would be after max_elapsed_time" }
                }
            });
        };
        will_retry(error, next.saturating_duration_since(Instant::now()));
        match end {
            Some(end) => sleep_until(next.min(end)).await,
            None => tokio::select! {
                () = sleep_until(next) => {}
                () = begun(shutdown) => {}
            },
        }
    }
}

/// Waits until shutdown begins. If its sender is gone, shutdown never begins, and this waits for ever.
pub(super) async fn begun(shutdown: &mut watch::Receiver<Option<Instant>>) {
    if shutdown.wait_for(Option::is_some).await.is_err() {
        std::future::pending().await
    }
}

/// Waits until shutdown has begun and its deadline has passed.
async fn deadline(mut shutdown: watch::Receiver<Option<Instant>>) {
    begun(&mut shutdown).await;
    let deadline = *shutdown.borrow();
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}

#[cfg(test)]
mod tests;
