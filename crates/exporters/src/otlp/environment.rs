//! The `OTEL_EXPORTER_OTLP_*` variables (OpenTelemetry specification, "OTLP Exporter Configuration").
//!
//! Words such as `gzip` may be in capital or small letters (specification, "Enum").

use std::collections::BTreeMap;
use std::time::Duration;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Problem, fit};
use otel_tcpretrans_pipeline::delivery::Compression;

use crate::secret::Secret;
use crate::{Environment, key_values};

/// The variables that count for one signal. A variable for this signal wins over the one for all signals.
pub(super) struct Variables<'a> {
    pub(super) signal: Signal,
    pub(super) environment: &'a Environment<'a>,
}

/// A variable that is set.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}

impl Variable {
    pub(super) fn problem(&self, path: &str, message: impl std::fmt::Display) -> Problem {
        Problem::at(path, format!("{}: {message}", self.name))
    }
}

impl Variables<'_> {
    /// The variable `OTEL_EXPORTER_OTLP_SIGNAL_{name}` of this signal alone.
    pub(super) fn own(&self, name: &str) -> Option<Variable> {
        self.first([self.own_name(name)])
    }

    /// The variable `OTEL_EXPORTER_OTLP_[SIGNAL_]{name}`. An empty one counts as unset (specification, "Parsing Empty
    /// Value").
    pub(super) fn get(&self, name: &str) -> Option<Variable> {
        self.first([self.own_name(name), format!("OTEL_EXPORTER_OTLP_{name}")])
    }

    fn own_name(&self, name: &str) -> String {
        match self.signal {
            Signal::Logs => format!("OTEL_EXPORTER_OTLP_LOGS_{name}"),
            Signal::Metrics => format!("OTEL_EXPORTER_OTLP_METRICS_{name}"),
        }
    }

    fn first(&self, names: impl IntoIterator<Item = String>) -> Option<Variable> {
        names.into_iter().find_map(|name| {
            let value = (self.environment)(&name)?;
            let value = value.trim();
            (!value.is_empty()).then(|| Variable { name, value: value.to_owned() })
        })
    }

    /// Reads a variable with `read`. An error is added to `problems`, as a problem of the key `path`.
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
    let known = value.to_ascii_lowercase().parse();
    known.map_err(|_| format!("expected none, gzip or zstd, found {value:?}"))
}

/// Reads a number of milliseconds. 0 means no limit, and becomes `i32::MAX` milliseconds (25 days).
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
    // The message does not repeat the value, since it may be a token.
    let pairs = key_values::parse(value).map_err(|error| error.to_string())?;
    Ok(pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}
