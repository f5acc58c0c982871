//! Encodes metric points as `Metric`s (opentelemetry/proto/metrics/v1/metrics.proto), with those of one metric together.

use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use otel_tcpretrans_pipeline::metric::{Descriptor, Kind, MetricPoint, Number, Reading, Temporality};

use super::attribute::key_value;
use super::frame::ITEM;
use super::requests::Requests;
use super::wire::{self, Field, LONG, field_len};

/// Fields of `Metric`.
const NAME: Field = 1;
const DESCRIPTION: Field = 2;
const UNIT: Field = 3;
const SUM: Field = 7;

/// Fields of `Sum`.
const DATA_POINT: Field = 1;
const AGGREGATION_TEMPORALITY: Field = 2;
const IS_MONOTONIC: Field = 3;

/// Fields of `NumberDataPoint`.
const START_TIME_UNIX_NANO: Field = 2;
const TIME_UNIX_NANO: Field = 3;
const AS_DOUBLE: Field = 4;
const AS_INT: Field = 6;
const ATTRIBUTES: Field = 7;

/// What tells the metrics of a request apart.
type Group = (&'static Descriptor, Temporality);

/// Encodes points into `requests`. Metrics keep the order in which `points` names them first, and the points of one
/// metric keep their order.
pub(super) fn encode<'p>(points: impl Iterator<Item = &'p MetricPoint>, requests: &mut Requests<'_>) {
    for (group, points) in groups(points) {
        let frame = MetricFrame::new(group);
        let (mut data_points, mut count) = (Vec::new(), 0);
        for point in points {
            let start = data_points.len();
            wire::nested(&mut data_points, DATA_POINT, LONG, |out| data_point(out, point));
            if requests.fits(requests.len() + frame.len(data_points.len())) {
                count += 1;
                continue;
            }
            let point = data_points.split_off(start);
            if requests.fits(frame.len(point.len())) {
                frame.put(&data_points, count, requests);
                requests.close();
                (data_points, count) = (point, 1);
            } else {
                requests.leave_out();
            }
        }
        frame.put(&data_points, count, requests);
    }
}

/// The points by metric and temporality. There are few groups.
fn groups<'p>(points: impl Iterator<Item = &'p MetricPoint>) -> Vec<(Group, Vec<&'p MetricPoint>)> {
    let mut groups: Vec<(Group, Vec<_>)> = Vec::new();
    for point in points {
        let key = group(point);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, points)) => points.push(point),
            None => groups.push((key, vec![point])),
        }
    }
    groups
}

fn group(point: &MetricPoint) -> Group {
    (point.descriptor, point.temporality)
}

/// What goes around the points of one metric.
struct MetricFrame {
    /// Name, description, unit.
    metric: Vec<u8>,
    /// Temporality, monotonicity.
    sum: Vec<u8>,
}

impl MetricFrame {
    fn new((descriptor, temporality): Group) -> Self {
        let Descriptor { name, unit, kind, description } = *descriptor;
        let temporality = match temporality {
            Temporality::Cumulative => AggregationTemporality::Cumulative,
            Temporality::Delta => AggregationTemporality::Delta,
        };
        let is_monotonic = match kind {
            Kind::MonotonicSum | Kind::MonotonicTime => true,
        };
        let mut metric = Vec::new();
        wire::string(&mut metric, NAME, name);
        wire::string(&mut metric, DESCRIPTION, description);
        wire::string(&mut metric, UNIT, unit);
        let mut sum = Vec::new();
        wire::integer(&mut sum, AGGREGATION_TEMPORALITY, i32::from(temporality).into());
        wire::integer(&mut sum, IS_MONOTONIC, is_monotonic.into());
        MetricFrame { metric, sum }
    }

    /// Length of the metric as an item of a request, in bytes, if its points take `data_points` bytes.
    fn len(&self, data_points: usize) -> usize {
        field_len(self.metric_len(data_points))
    }

    /// Adds the metric with its `count` points to a request. Without points it does nothing.
    fn put(&self, data_points: &[u8], count: u64, requests: &mut Requests<'_>) {
        if count == 0 {
            return;
        }
        let mut head = Vec::new();
        wire::open(&mut head, ITEM, self.metric_len(data_points.len()));
        head.extend_from_slice(&self.metric);
        wire::open(&mut head, SUM, self.sum.len() + data_points.len());
        head.extend_from_slice(&self.sum);
        requests.append(&head, 0);
        requests.append(data_points, count);
    }

    fn metric_len(&self, data_points: usize) -> usize {
        self.metric.len() + field_len(self.sum.len() + data_points)
    }
}

fn data_point(out: &mut Vec<u8>, point: &MetricPoint) {
    let Reading { start_unix_nano, value } = point.reading();
    wire::fixed64(out, START_TIME_UNIX_NANO, start_unix_nano);
    wire::fixed64(out, TIME_UNIX_NANO, point.time_unix_nano);
    match point.descriptor.kind.number(value) {
        Number::Int(number) => wire::fixed64(out, AS_INT, number.cast_unsigned()),
        Number::Double(number) => wire::double(out, AS_DOUBLE, number),
    }
    for (key, value) in point.attributes.iter() {
        key_value(out, ATTRIBUTES, key.name(), value.value());
    }
}

#[cfg(test)]
mod tests;
