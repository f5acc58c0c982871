//! Encodes metric points as `ExportMetricsServiceRequest`.

use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, NumberDataPoint, Sum};
use otel_tcpretrans_pipeline::delivery::Encoded;
use otel_tcpretrans_pipeline::metric::{Descriptor, Kind, MetricPoint, Reading, Temporality};
use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::message;

use super::frame::{ITEM, Requests, field_len, open_field};
use super::value::key_value;

/// Field number of `sum` in a `Metric`.
const SUM: u32 = 7;
/// Field number of `data_points` in a `Sum`.
const DATA_POINT: u32 = 1;

/// What tells the metrics of a request apart.
type Group = (&'static Descriptor, Temporality);

/// Encodes points, with those of one metric together. Metrics keep the order in which `points` names them first, and
/// the points of one metric keep their order.
pub(super) fn encode<'p>(
    points: impl Iterator<Item = &'p MetricPoint>,
    mut requests: Requests<'_>,
) -> Encoded {
    for (group, points) in groups(points) {
        let frame = MetricFrame::new(group);
        let mut data_points = Vec::new();
        for point in points {
            let point = data_point(point);
            let length = message::encoded_len(DATA_POINT, &point);
            if !requests.fits(frame.len(length)) {
                requests.encoded.too_large += 1;
                continue;
            }
            if !requests.fits(requests.items.len() + frame.len(data_points.len() + length)) {
                frame.put(&mut data_points, &mut requests.items);
                requests.close();
            }
            message::encode(DATA_POINT, &point, &mut data_points);
            requests.count += 1;
        }
        frame.put(&mut data_points, &mut requests.items);
    }
    requests.close();
    requests.encoded
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
            Kind::MonotonicSum => true,
        };
        let sum = Sum { aggregation_temporality: temporality.into(), is_monotonic, ..Default::default() };
        let metric = Metric {
            name: name.to_owned(),
            description: description.to_owned(),
            unit: unit.to_owned(),
            ..Default::default()
        };
        MetricFrame { metric: metric.encode_to_vec(), sum: sum.encode_to_vec() }
    }

    /// Length of the metric as an item of a request, in bytes, if its points take `data_points` bytes.
    fn len(&self, data_points: usize) -> usize {
        field_len(ITEM, self.metric_len(data_points))
    }

    /// Appends the metric with its points to a request's items, and empties `data_points`. Without points it does
    /// nothing.
    fn put(&self, data_points: &mut Vec<u8>, items: &mut Vec<u8>) {
        if data_points.is_empty() {
            return;
        }
        open_field(ITEM, self.metric_len(data_points.len()), items);
        items.put_slice(&self.metric);
        open_field(SUM, self.sum.len() + data_points.len(), items);
        items.put_slice(&self.sum);
        items.append(data_points);
    }

    fn metric_len(&self, data_points: usize) -> usize {
        self.metric.len() + field_len(SUM, self.sum.len() + data_points)
    }
}

fn data_point(point: &MetricPoint) -> NumberDataPoint {
    let Reading { start_unix_nano, value } = point.reading();
    NumberDataPoint {
        attributes: point
            .attributes
            .iter()
            .map(|(key, value)| key_value(key.name(), value.value()))
            .collect(),
        start_time_unix_nano: start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        value: Some(Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX))),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Envelope;
    use super::*;
    use crate::fixtures;
    use crate::resource::Resource;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use otel_tcpretrans_pipeline::delivery::Compression;
    use otel_tcpretrans_pipeline::processors::{EVENTS, IO, RETRANSMITS};

    fn encoded(points: &[MetricPoint], limit: usize) -> Encoded {
        let envelope = Envelope::new(&Resource::default());
        encode(points.iter(), Requests::new(&envelope, limit, Compression::None))
    }

    fn metrics(encoded: &Encoded) -> Vec<Vec<Metric>> {
        let requests = encoded.requests.iter().map(|request| {
            let decoded = ExportMetricsServiceRequest::decode(request.body.clone()).expect("a request");
            assert_eq!(decoded.encoded_len(), request.body.len(), "it has nothing that prost does not know");
            decoded.resource_metrics.into_iter().next().expect("a resource").scope_metrics.remove(0).metrics
        });
        requests.collect()
    }

    fn values(metric: &Metric) -> Vec<i64> {
        let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?} is no sum") };
        assert!(sum.is_monotonic);
        sum.data_points
            .iter()
            .map(|p| match p.value {
                Some(Value::AsInt(v)) => v,
                v => panic!("{v:?}"),
            })
            .collect()
    }

    fn of(descriptor: &'static Descriptor, value: u64) -> MetricPoint {
        MetricPoint { descriptor, ..fixtures::point(value) }
    }

    #[test]
    fn points_of_one_metric_are_together() {
        let delta = MetricPoint { temporality: Temporality::Delta, ..of(&IO, 5) };
        let points = [of(&RETRANSMITS, 1), of(&IO, 2), of(&RETRANSMITS, 3), of(&IO, 4), delta];
        let encoded = encoded(&points, usize::MAX);
        assert_eq!((encoded.requests.len(), encoded.requests[0].items), (1, 5));
        let metrics = &metrics(&encoded)[0];
        let seen: Vec<_> = metrics.iter().map(|m| (m.name.as_str(), m.unit.as_str(), values(m))).collect();
        assert_eq!(
            seen,
            [
                ("system.network.tcp.retransmits", "{segment}", vec![1, 3]),
                ("system.network.tcp.retransmit.io", "By", vec![2, 4]),
                ("system.network.tcp.retransmit.io", "By", vec![2]),
            ]
        );
        let temporality = |metric: &Metric| match &metric.data {
            Some(Data::Sum(sum)) => sum.aggregation_temporality(),
            other => panic!("{other:?}"),
        };
        assert_eq!(temporality(&metrics[1]), AggregationTemporality::Cumulative);
        assert_eq!(temporality(&metrics[2]), AggregationTemporality::Delta);
    }

    #[test]
    fn points_of_one_series_keep_their_order() {
        let at = |seconds: u64, value| MetricPoint {
            time_unix_nano: fixtures::START + seconds * 1_000_000_000,
            ..of(&EVENTS, value)
        };
        let points = [at(5, 0), of(&IO, 1), at(10, 3), at(20, 3), of(&IO, 2), at(30, 8)];
        let encoded = encoded(&points, usize::MAX);
        let seen: Vec<_> = metrics(&encoded)[0].iter().map(values).collect();
        assert_eq!(seen, [vec![0, 3, 3, 8], vec![1, 2]]);
    }

    #[test]
    fn a_point_has_the_start_and_the_value_of_its_temporality() {
        let read = |temporality| {
            let point = data_point(&MetricPoint { temporality, ..fixtures::point(42) });
            assert_eq!(point.time_unix_nano, fixtures::START + 10_000_000_000);
            (point.start_time_unix_nano, point.value)
        };
        assert_eq!(read(Temporality::Cumulative), (fixtures::START, Some(Value::AsInt(42))));
        assert_eq!(read(Temporality::Delta), (fixtures::START + 5_000_000_000, Some(Value::AsInt(2))));
    }

    #[test]
    fn splits_exactly_at_the_limit() {
        let points: Vec<_> =
            (1..=3).map(|v| of(&RETRANSMITS, v)).chain((4..=6).map(|v| of(&EVENTS, v))).collect();
        let four = encoded(&points[..4], usize::MAX).requests[0].body.len();
        let split = |limit| {
            let encoded = encoded(&points, limit);
            assert_eq!(encoded.too_large, 0);
            assert!(encoded.requests.iter().all(|request| request.body.len() <= limit));
            let values: Vec<Vec<_>> =
                metrics(&encoded).iter().map(|m| m.iter().map(values).collect()).collect();
            let items: Vec<_> = encoded.requests.iter().map(|r| r.items).collect();
            (values, items)
        };
        assert_eq!(split(four), (vec![vec![vec![1, 2, 3], vec![4]], vec![vec![5, 6]]], vec![4, 2]));
        assert_eq!(split(four - 1), (vec![vec![vec![1, 2, 3]], vec![vec![4, 5, 6]]], vec![3, 3]));
        let one = encoded(&points[..1], usize::MAX).requests[0].body.len();
        let alone = encoded(&points, one - 1);
        assert_eq!((alone.requests.len() as u64, alone.too_large), (3, 3), "the shorter name still fits");
    }
}
