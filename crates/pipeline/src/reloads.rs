//! Counts how reloads of the configuration ended, and shows which configuration is in force.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// How reloads ended. Clones share the numbers.
#[derive(Clone, Debug, Default)]
pub struct Reloads(Arc<State>);

#[derive(Debug, Default)]
struct State {
    success: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    /// The hash of the configuration in force. Empty if nobody has said one.
    hash: Mutex<String>,
}

/// How a reload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The new configuration is in force.
    Success,
    /// The new configuration has problems, or needs a restart. Nothing has changed.
    Refused,
    /// A part of the new configuration did not start. The old one is in force again.
    Failed,
}

impl Reloads {
    /// Counts a reload.
    pub fn count(&self, outcome: Outcome) {
        self.counter(outcome).fetch_add(1, Ordering::Relaxed);
    }

    /// Notes the hash of the configuration that is in force from now on.
    pub fn in_force(&self, hash: &str) {
        *self.0.hash.lock().unwrap_or_else(PoisonError::into_inner) = hash.to_owned();
    }

    /// Registers `{namespace}_reloads`, by outcome, and `{namespace}_config_info`, which is 1 and has the hash of the
    /// configuration in force.
    pub fn register(&self, meter: &Meter, namespace: &str) {
        let reloads = self.clone();
        meter
            .u64_observable_counter(format!("{namespace}_reloads"))
            .with_unit("{reload}")
            .with_description("Reloads of the configuration, by outcome.")
            .with_callback(move |observer| {
                for outcome in [Outcome::Success, Outcome::Refused, Outcome::Failed] {
                    let name: &str = outcome.into();
                    let count = reloads.counter(outcome).load(Ordering::Relaxed);
                    observer.observe(count, &[KeyValue::new("outcome", name.to_owned())]);
                }
            })
            .build();
        let reloads = self.clone();
        meter
            .u64_observable_gauge(format!("{namespace}_config_info"))
            .with_description("The hash of the configuration in force.")
            .with_callback(move |observer| {
                let hash = reloads.0.hash.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if !hash.is_empty() {
                    observer.observe(1, &[KeyValue::new("hash", hash)]);
                }
            })
            .build();
    }

    fn counter(&self, outcome: Outcome) -> &AtomicU64 {
        match outcome {
            Outcome::Success => &self.0.success,
            Outcome::Refused => &self.0.refused,
            Outcome::Failed => &self.0.failed,
        }
    }
}
