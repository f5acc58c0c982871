//! Reads what the Collector's debug exporter prints at verbosity `detailed`.

use std::collections::{BTreeMap, BTreeSet};

use crate::e2e::telemetry::{Attributes, Point, Telemetry};

/// What a Collector received.
#[derive(Debug, Default)]
pub struct Received {
    pub telemetry: Telemetry,
    /// Attributes of each resource. Equal ones are here once.
    pub resources: BTreeSet<Attributes>,
    /// Names and versions of the scopes.
    pub scopes: BTreeSet<String>,
    /// Names of the log records' events.
    pub events: BTreeSet<String>,
    /// OTLP types by attribute of log records.
    pub types: BTreeMap<String, BTreeSet<String>>,
    /// Unit, type and the like by metric.
    pub descriptors: BTreeMap<String, BTreeSet<Attributes>>,
    /// For each record, when it happened and when it was observed, as texts that sort by time.
    pub times: Vec<(String, String)>,
    /// Requests, each of which the Collector prints by itself.
    pub requests: usize,
}

impl Received {
    /// Adds what another Collector received later.
    pub fn append(&mut self, later: Received) {
        self.telemetry.records.extend(later.telemetry.records);
        self.telemetry.points.extend(later.telemetry.points);
        self.resources.extend(later.resources);
        self.scopes.extend(later.scopes);
        self.events.extend(later.events);
        self.types.extend(later.types);
        self.descriptors.extend(later.descriptors);
        self.times.extend(later.times);
        self.requests += later.requests;
    }
}

/// What the attributes that are being read belong to.
#[derive(Clone, Copy, Default, PartialEq)]
enum Of {
    #[default]
    Nothing,
    Resource,
    Record,
    Descriptor,
    Point,
}

#[derive(Default)]
struct Reader {
    received: Received,
    of: Of,
    resource: Attributes,
    descriptor: Attributes,
    observed: String,
    point: Attributes,
    since: String,
}

/// Reads the Collector's stderr. It skips the lines of the Collector's own log.
pub fn parse(stderr: &str) -> Received {
    let mut reader = Reader::default();
    for line in stderr.lines() {
        reader.line(line);
    }
    reader.received
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(attribute) = line.strip_prefix("     -> ") {
            return self.attribute(attribute);
        }
        if self.of == Of::Resource {
            self.received.resources.insert(std::mem::take(&mut self.resource));
        }
        self.of = Of::Nothing; // attributes follow directly after their heading
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match (key, value) {
            ("ResourceLog" | "ResourceMetrics", "#0") => self.received.requests += 1,
            ("InstrumentationScope", scope) => _ = self.received.scopes.insert(scope.to_owned()),
            ("Resource", "attributes:") => self.of = Of::Resource,
            ("LogRecord", _) => self.received.telemetry.records.push(Attributes::new()),
            ("ObservedTimestamp:", time) => self.observed = time.to_owned(),
            ("EventName:", name) => _ = self.received.events.insert(name.to_owned()),
            ("Attributes:", _) => self.of = Of::Record,
            ("Metric", _) => self.descriptor.clear(),
            ("Descriptor:", _) => self.of = Of::Descriptor,
            ("Data", "point attributes:") => self.of = Of::Point,
            ("NumberDataPoints", _) => self.point.clear(),
            ("StartTimestamp:", time) => self.since = time.to_owned(),
            ("Timestamp:", time) => {
                // The time of a record follows after its observed time. Without one it is the time of a point.
                let observed = std::mem::take(&mut self.observed);
                if !observed.is_empty() {
                    self.received.times.push((time.to_owned(), observed));
                }
            }
            ("Value:", value) => self.point(value),
            _ => {}
        }
    }

    fn attribute(&mut self, attribute: &str) {
        let (name, value) =
            attribute.split_once(':').unwrap_or_else(|| panic!("not an attribute: {attribute}"));
        let value = value.trim_start();
        if self.of == Of::Descriptor {
            self.descriptor.insert(name.to_owned(), value.to_owned());
            return;
        }
        // `Str(text)`
        let typed = value.split_once('(').and_then(|(kind, rest)| Some((kind, rest.strip_suffix(')')?)));
        let (kind, value) = typed.unwrap_or_else(|| panic!("not a value: {attribute}"));
        let attributes = match self.of {
            Of::Resource => &mut self.resource,
            Of::Record => {
                self.received.types.entry(name.to_owned()).or_default().insert(kind.to_owned());
                self.received.telemetry.records.last_mut().expect("a record")
            }
            Of::Point => &mut self.point,
            Of::Descriptor | Of::Nothing => panic!("nobody's attribute: {attribute}"),
        };
        assert_eq!(attributes.insert(name.to_owned(), value.to_owned()), None, "twice: {attribute}");
    }

    fn point(&mut self, value: &str) {
        let mut descriptor = self.descriptor.clone();
        let metric = descriptor.remove("Name").expect("a name");
        let is_cumulative = match descriptor["AggregationTemporality"].as_str() {
            "Cumulative" => true,
            "Delta" => false,
            other => panic!("{metric} is {other}"),
        };
        self.received.descriptors.entry(metric.clone()).or_default().insert(descriptor);
        self.received.telemetry.points.push(Point {
            metric,
            attributes: std::mem::take(&mut self.point),
            value: value.parse().unwrap_or_else(|_| panic!("not a whole number: {value}")),
            is_cumulative,
            since: self.since.clone(),
        });
    }
}
