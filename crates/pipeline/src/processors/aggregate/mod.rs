//! `aggregate`: records -> monotonic sums, under a hard cap of series.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use crate::attribute::{Attribute, Key};
use crate::config::{Interval, Problem, fit};
use crate::metric::Temporality;

mod sums;

pub use sums::Aggregator;

/// `aggregate`; a metrics pipeline that names none has this one's defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AggregateConfig {
    /// Time between two reports.
    pub interval: Interval,
    /// Attributes beyond the default ones; each may multiply the series.
    pub attributes: Vec<Key>,
    /// Series at most; what exceeds it goes to one series with `otel.metric.overflow`.
    pub max_series: usize,
    /// What the sums count from.
    pub temporality: Temporality,
    /// A cumulative series unchanged for so long is given up, or the cap would fill for ever.
    pub max_idle: Interval,
}

impl Default for AggregateConfig {
    fn default() -> Self {
        AggregateConfig {
            interval: Interval::from_secs(10),
            attributes: Vec::new(),
            max_series: 2000,
            temporality: Temporality::Cumulative,
            max_idle: Interval::from_secs(15 * 60),
        }
    }
}

/// The attributes that stand on every series, where a record has them. All of them take few values.
pub const DEFAULT_ATTRIBUTES: [Attribute; 6] = [
    Attribute::NetworkTransport,
    Attribute::NetworkType,
    Attribute::RetransmitType,
    Attribute::HandshakeRole,
    Attribute::ConnectionState,
    Attribute::ErrorType,
];

/// Why an attribute can't be configured; `None` where it can.
fn unsuitable(key: &Key) -> Option<&'static str> {
    let Key::Own(attribute) = key else { return None };
    match attribute {
        _ if DEFAULT_ATTRIBUTES.contains(attribute) => Some("is always there"),
        Attribute::MetricOverflow => Some("is set by aggregate alone"),
        Attribute::Sequence
        | Attribute::Rtt
        | Attribute::Cwnd
        | Attribute::Events
        | Attribute::Segments
        | Attribute::Bytes
        | Attribute::TotalRetransmits => Some("is a measurement: each value would be a series of its own"),
        _ => None,
    }
}

impl AggregateConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(fit(*self.interval).err().map(|message| Problem::at("interval", message)));
        if self.max_series == 0 {
            problems.push(Problem::at("max_series", "must be at least 1"));
        }
        if self.max_idle < self.interval {
            problems.push(Problem::at("max_idle", "must not be shorter than interval"));
        }
        for (index, attribute) in self.attributes.iter().enumerate() {
            let twice = self.attributes[..index].contains(attribute).then_some("is named twice");
            if let Some(why) = unsuitable(attribute).or(twice) {
                let suitable = Attribute::iter().filter(|own| unsuitable(&Key::Own(*own)).is_none());
                let suitable: Vec<_> = suitable.map(Attribute::name).collect();
                problems.push(Problem::at(
                    format!("attributes.{index}"),
                    format!("{attribute} {why}; expected any of {}", suitable.join(", ")),
                ));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests;
