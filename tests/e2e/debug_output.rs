//! Reads what the `debug` exporter prints at verbosity `normal`.

use super::telemetry::{Attributes, Point, Telemetry};

/// Reads all lines. Fails if a line is neither a record nor a point.
pub fn parse(stdout: &str) -> Telemetry {
    let mut telemetry = Telemetry::default();
    for line in stdout.lines() {
        let (_time, rest) = line.split_once(' ').unwrap_or_else(|| panic!("not a line of debug: {line}"));
        if rest.starts_with("system.network.tcp.") {
            telemetry.points.push(point(rest).unwrap_or_else(|| panic!("not a point: {line}")));
        } else {
            assert!(rest.starts_with("ipv4 ") || rest.starts_with("ipv6 "), "not a record: {line}");
            telemetry.records.push(attributes(rest.split(' ')));
        }
    }
    telemetry
}

/// Whether the metrics show a retransmission. Before the first one all points are 0. A line that is still being written
/// is left out.
pub fn has_counted(stdout: &str) -> bool {
    let values = stdout.lines().filter_map(|line| {
        let (_, series) = line.split_once("system.network.tcp.retransmits{")?;
        series.split_once("} ")?.1.split_once(' ')
    });
    values.map(|(value, _)| value).any(|value| value != "0")
}

/// `NAME{a=b,c=d} 42 {segment} cumulative since TIME`
fn point(text: &str) -> Option<Point> {
    let (metric, rest) = text.split_once('{')?;
    let (series, rest) = rest.split_once("} ")?;
    let (value, rest) = rest.split_once(' ')?;
    let (_unit, rest) = rest.split_once(' ')?;
    let (temporality, since) = rest.split_once(" since ")?;
    Some(Point {
        metric: metric.to_owned(),
        attributes: attributes(series.split(',')),
        value: value.parse().ok()?,
        is_cumulative: match temporality {
            "cumulative" => true,
            "delta" => false,
            _ => return None,
        },
        since: since.to_owned(),
    })
}

/// The words that are attributes. Other words with a `=` have no dot in their names.
fn attributes<'a>(words: impl Iterator<Item = &'a str>) -> Attributes {
    let pairs = words.filter_map(|word| word.split_once('='));
    pairs.filter(|(name, _)| name.contains('.')).map(|(name, value)| (name.into(), value.into())).collect()
}
