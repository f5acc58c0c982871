//! Counts how reloads of the configuration ended, and shows which configuration is in force.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

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
    /// The hashes of the configurations that were in force, the last one now.
    hashes: Mutex<Vec<String>>,
    last: Mutex<Option<(Outcome, SystemTime)>>,
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

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 3] = [Outcome::Success, Outcome::Refused, Outcome::Failed];
}

impl Reloads {
    /// Counts a reload.
    pub fn count(&self, outcome: Outcome) {
        self.counter(outcome).fetch_add(1, Ordering::Relaxed);
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, SystemTime::now()));
    }

    /// How many reloads ended so.
    pub fn counted(&self, outcome: Outcome) -> u64 {
        self.counter(outcome).load(Ordering::Relaxed)
    }

    /// How the last reload ended, and when; `None` if there was none.
    pub fn last(&self) -> Option<(Outcome, SystemTime)> {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hash of the configuration in force.
    pub fn hash_in_force(&self) -> Option<String> {
        self.0.hashes.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// Notes the hash of the configuration that is in force from now on.
    pub fn in_force(&self, hash: &str) {
        let mut hashes = self.0.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.retain(|earlier| earlier != hash);
        hashes.push(hash.to_owned());
    }

    /// Registers `{namespace}_reloads`, by outcome, and `{namespace}_config_info`, which is 1 with the hash of the
    /// configuration in force, and 0 with those of before: the SDK would go on to show their last value.
    pub fn register(&self, meter: &Meter, namespace: &str) {
        let reloads = self.clone();
        meter
            .u64_observable_counter(format!("{namespace}_reloads"))
            .with_unit("{reload}")
            .with_description("Reloads of the configuration, by outcome.")
            .with_callback(move |observer| {
                for outcome in Outcome::ALL {
                    let name: &str = outcome.into();
                    observer.observe(reloads.counted(outcome), &[KeyValue::new("outcome", name.to_owned())]);
                }
            })
            .build();
        let reloads = self.clone();
        meter
            .u64_observable_gauge(format!("{namespace}_config_info"))
            .with_description("The hash of the configuration in force.")
            .with_callback(move |observer| {
                let hashes = reloads.0.hashes.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for (index, hash) in hashes.iter().enumerate() {
                    let is_in_force = u64::from(index + 1 == hashes.len());
                    observer.observe(is_in_force, &[KeyValue::new("hash", hash.clone())]);
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
