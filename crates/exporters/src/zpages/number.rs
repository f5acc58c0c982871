//! A number that the page shows, with the series of the self-telemetry that shows the same.

use serde::Serialize;

/// A number of the books.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Number {
    /// What it counts, in few words.
    pub(super) name: String,
    pub(super) value: u64,
    /// The series with this number at `/metrics`, as it is written there.
    pub(super) series: String,
}

/// Labels of a series, in any order.
pub(super) type Labels<'l> = &'l [(&'l str, &'l str)];

impl Number {
    pub(super) fn new(name: impl Into<String>, value: u64, metric: &str, labels: Labels<'_>) -> Number {
        Number { name: name.into(), value, series: series(metric, labels) }
    }
}

/// A series as Prometheus's text format has it: labels by name, with backslashes before what needs them.
fn series(metric: &str, labels: Labels<'_>) -> String {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> =
        labels.into_iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{metric}{{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_written_as_at_metrics() {
        let number = Number::new("n", 1, "m", &[("signal", "logs"), ("exporter", "a\"\\b")]);
        assert_eq!(number.series, r#"m{exporter="a\"\\b",signal="logs"}"#);
    }
}
