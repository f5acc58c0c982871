//! The `OTEL_EXPORTER_OTLP_*` variables (OpenTelemetry specification, "OTLP Exporter Configuration").
//!
//! Words are read whatever their case (specification, "Enum").

use std::collections::BTreeMap;
use std::time::Duration;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Problem, fit};
use otel_tcpretrans_pipeline::delivery::Compression;

use crate::secret::Secret;
use crate::{Environment, key_values};

/// The variables that speak for one signal: its own first, then those of all signals.
pub(super) struct Variables<'a> {
    pub(super) signal: Signal,
    pub(super) environment: &'a Environment<'a>,
}

/// A value and the variable that it is from.
pub(super) struct Found {
    pub(super) variable: String,
    pub(super) value: String,
}

impl Found {
    pub(super) fn problem(&self, path: &str, message: impl std::fmt::Display) -> Problem {
        Problem::at(path, format!("{}: {message}", self.variable))
    }
}

impl Variables<'_> {
    /// The value of `OTEL_EXPORTER_OTLP_[SIGNAL_]{name}`. An empty one is as good as none, says the specification.
    pub(super) fn get(&self, name: &str) -> Option<Found> {
        let own = match self.signal {
            Signal::Logs => format!("OTEL_EXPORTER_OTLP_LOGS_{name}"),
            Signal::Metrics => format!("OTEL_EXPORTER_OTLP_METRICS_{name}"),
        };
        [own, format!("OTEL_EXPORTER_OTLP_{name}")].into_iter().find_map(|variable| {
            let value = (self.environment)(&variable)?;
            let value = value.trim();
            (!value.is_empty()).then(|| Found { variable, value: value.to_owned() })
        })
    }

    /// A variable read by `read`; what is wrong with it goes to `problems`.
    pub(super) fn read<T>(
        &self,
        name: &str,
        path: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let found = self.get(name)?;
        read(&found.value).map_err(|message| problems.push(found.problem(path, message))).ok()
    }
}

pub(super) fn compression(value: &str) -> Result<Compression, String> {
    match value.to_ascii_lowercase().as_str() {
        "none" => Ok(Compression::None),
        "gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        _ => Err(format!("expected none, gzip or zstd, found {value:?}")),
    }
}

/// Milliseconds. 0 is no limit, says the specification, or the largest number of 32 bits.
pub(super) fn timeout(value: &str) -> Result<Duration, String> {
    let milliseconds =
        value.parse().map_err(|_| format!("expected a whole number of milliseconds, found {value:?}"))?;
    Ok(fit(Duration::from_millis(if milliseconds == 0 { i32::MAX as u64 } else { milliseconds }))?)
}

pub(super) fn boolean(value: &str) -> Result<bool, String> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Ok(true),
        _ if value.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(format!("expected true or false, found {other:?}")),
    }
}

pub(super) fn headers(value: &str) -> Result<BTreeMap<String, Secret>, String> {
    // The message must not repeat what may be a token.
    let pairs = key_values::parse(value).map_err(|error| error.to_string())?;
    Ok(pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}

pub(super) fn protocol(value: &str) -> Result<(), String> {
    match value.eq_ignore_ascii_case("grpc") {
        true => Ok(()),
        false => Err(format!("expected grpc, found {value:?}: OTLP over HTTP is not built yet")),
    }
}
