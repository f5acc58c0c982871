//! The configuration of `aggregate`, and the attributes that its series have.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::metrics::METRICS;
use crate::attribute::{Attribute, Key};
use crate::config::{Interval, Problem, fit};
use crate::metric::Temporality;
use crate::processors::ask::Ask;

/// `aggregate`. A metrics pipeline that names no `aggregate` has one with these defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AggregateConfig {
    /// Time between two reports.
    pub interval: Interval,
    /// Attributes that are added to the default ones. Each may multiply the number of series.
    pub attributes: Vec<Key>,
    /// The largest number of series with added attributes. Records that would need more go to one series with
    /// `otel.metric.overflow`. Series that have only the default attributes are few, and do not count here.
    pub max_series: usize,
    /// The temporality for exporters that have none of their own.
    ///
    /// Under `delta` a series with added attributes lives for one window, so that `max_series` is a limit per window.
    pub temporality: Temporality,
    /// A series with added attributes ends when it has not changed for this time. This makes room under `max_series`.
    ///
    /// Its totals go into its base series, which has the same default attributes and no added ones. So the sum over all
    /// series never falls. Series that have only the default attributes, and the overflow series, never end.
    ///
    /// PromQL's `increase()` and `rate()` over all series count the totals of an ended series a second time, when they
    /// enter the base series. For rates over all series, use a pipeline without added attributes or a long `max_idle`,
    /// or select the series that have the added attribute. In delta temporality everything is counted once.
    pub max_idle: Interval,
    /// Adds the metric `system.network.tcp.retransmit.rtt`: divided by the number of retransmissions, it is the mean
    /// round-trip time of the connections that retransmit.
    pub rtt: bool,
}

impl Default for AggregateConfig {
    fn default() -> Self {
        AggregateConfig {
            interval: Interval::from_secs(10),
            attributes: Vec::new(),
            max_series: 2000,
            temporality: Temporality::Cumulative,
            max_idle: Interval::from_secs(15 * 60),
            rtt: false,
        }
    }
}

/// The attributes that each series has if its records have them. All of them take few values.
pub const DEFAULT_ATTRIBUTES: [Key; 6] = [
    Key::Own(Attribute::NetworkTransport),
    Key::Own(Attribute::NetworkType),
    Key::Own(Attribute::RetransmitType),
    Key::Own(Attribute::HandshakeRole),
    Key::Own(Attribute::ConnectionState),
    Key::Own(Attribute::ErrorType),
];

/// Why an attribute can't be configured; `None` if it can.
fn unsuitable(key: &Key) -> Option<&'static str> {
    let Key::Own(attribute) = key else { return None };
    match attribute {
        _ if DEFAULT_ATTRIBUTES.contains(key) => Some("is always there"),
        Attribute::MetricOverflow => Some("is set by aggregate alone"),
        Attribute::Sequence
        | Attribute::Rtt
        | Attribute::Cwnd
        | Attribute::Events
        | Attribute::Failures
        | Attribute::Segments
        | Attribute::Bytes
        | Attribute::TotalRetransmits
        | Attribute::SegmentsSent
        | Attribute::DsackDups => Some("is a measurement: each value would be a series of its own"),
        _ => None,
    }
}

/// More than the series that have only the default attributes.
const FEW: usize = 1000;

impl AggregateConfig {
    /// More points than one report can have: of each series each metric, and a zero point before it.
    pub(crate) fn largest_report(&self) -> usize {
        self.max_series.saturating_add(FEW).saturating_mul(2 * METRICS.len())
    }

    /// What it asks for that a processor has to find.
    pub(in crate::processors) fn asks(&self) -> impl Iterator<Item = Ask<'_>> {
        self.attributes.iter().enumerate().filter_map(|(index, key)| match key {
            Key::Own(_) => None,
            Key::Found(name) => {
                Some(Ask { path: format!("attributes.{index}"), name, before: String::new() })
            }
        })
    }

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
