//! The agent's own telemetry, scraped as Prometheus does.

use std::collections::BTreeMap;

use super::page;
use super::telemetry::Attributes;

/// The port that the tests scrape. Each test has a network namespace of its own.
pub const PORT: u16 = 8888;

/// Numbers of one scrape, by name and labels.
#[derive(Debug, PartialEq)]
pub struct Scrape(BTreeMap<(String, Attributes), f64>);

impl Scrape {
    /// Makes a scrape.
    pub fn take() -> Scrape {
        Scrape::take_from(PORT)
    }

    /// Makes a scrape of another port.
    pub fn take_from(port: u16) -> Scrape {
        let (head, body) = page::get(port, "/metrics");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain"), "{head}");
        let lines = body.lines().filter(|line| !line.starts_with('#'));
        Scrape(lines.map(|line| sample(line).unwrap_or_else(|| panic!("not a sample: {line}"))).collect())
    }

    /// All samples of a name whose labels include these. Fails if there are none.
    pub fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let has =
            |of: &Attributes| labels.iter().all(|(name, value)| of.get(*name).is_some_and(|v| v == value));
        let samples = self.0.iter().filter(|((other, of), _)| other == name && has(of));
        let samples: Vec<f64> = samples.map(|(_, value)| *value).collect();
        assert!(!samples.is_empty(), "no {name} with {labels:?} in {:#?}", self.0.keys());
        samples
    }

    /// The sum of these samples. Fails if it is no whole number.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let sum: f64 = self.samples(name, labels).iter().sum();
        assert!(sum >= 0.0 && sum.fract() == 0.0, "{name} {labels:?}: {sum}");
        sum as u64
    }
}

/// `name{label="value",…} 42`, for values without a comma and a quote.
fn sample(line: &str) -> Option<((String, Attributes), f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}')?.split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    });
    Some(((name.to_owned(), labels.collect::<Option<_>>()?), value.parse().ok()?))
}
