//! Metric points -> `ExportMetricsServiceRequest`.

use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, NumberDataPoint, Sum};
use otel_tcpretrans_pipeline::delivery::Encoded;
use otel_tcpretrans_pipeline::metric::{self, MetricPoint, Temporality};
use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::message;

use super::frame::{Envelope, ITEM, Requests, field_len, open_field};
use super::value::key_value;

/// Field number of `sum` in a `Metric`.
const SUM: u32 = 7;
/// Field number of `data_points` in a `Sum`.
const DATA_POINT: u32 = 1;

/// Encodes points, those of one metric together; points of one series keep their order.
pub(super) fn encode(points: &[MetricPoint], envelope: &Envelope, limit: usize) -> Encoded {
    let mut points: Vec<&MetricPoint> = points.iter().collect();
    points.sort_by_key(|point| group(point));

    let mut requests = Requests::new(envelope, limit);
    for points in points.chunk_by(|one, other| group(one) == group(other)) {
        let Some(first) = points.first() else { continue };
        let frame = MetricFrame::new(first.metric, first.temporality);
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

fn group(point: &MetricPoint) -> (metric::Metric, bool) {
    (point.metric, point.temporality == Temporality::Delta)
}

/// What goes around the points of one metric.
struct MetricFrame {
    /// Name, description, unit.
    metric: Vec<u8>,
    /// Temporality, monotonicity.
    sum: Vec<u8>,
}

impl MetricFrame {
    fn new(metric: metric::Metric, temporality: Temporality) -> Self {
        let temporality = match temporality {
            Temporality::Cumulative => AggregationTemporality::Cumulative,
            Temporality::Delta => AggregationTemporality::Delta,
        };
        let sum =
            Sum { aggregation_temporality: temporality.into(), is_monotonic: true, ..Default::default() };
        let metric = Metric {
            name: metric.name().to_owned(),
            description: metric.description().to_owned(),
            unit: metric.unit().to_owned(),
            ..Default::default()
        };
        MetricFrame { metric: metric.encode_to_vec(), sum: sum.encode_to_vec() }
    }

    /// Length of the metric as an item of a request, around `data_points` bytes of points.
    fn len(&self, data_points: usize) -> usize {
        field_len(ITEM, self.metric_len(data_points))
    }

    /// Puts the metric behind a request's items, if there are points, and takes these out.
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
    NumberDataPoint {
        attributes: point
            .attributes
            .iter()
            .map(|(key, value)| key_value(key.name(), value.value()))
            .collect(),
        start_time_unix_nano: point.start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        value: Some(Value::AsInt(i64::try_from(point.value).unwrap_or(i64::MAX))),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::resource::Resource;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;

    fn encoded(points: &[MetricPoint], limit: usize) -> Encoded {
        encode(points, &Envelope::new(&Resource::default()), limit)
    }

    fn metrics(encoded: &Encoded) -> Vec<Vec<Metric>> {
        let requests = encoded.requests.iter().map(|request| {
            let decoded = ExportMetricsServiceRequest::decode(request.body.clone()).expect("a request");
            assert_eq!(
                decoded.encoded_len(),
                request.body.len(),
                "nothing is in it that prost does not know"
            );
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

    fn of(metric: metric::Metric, value: u64) -> MetricPoint {
        MetricPoint { metric, ..fixtures::point(value) }
    }

    #[test]
    fn points_of_one_metric_are_together() {
        use metric::Metric::{Io, Retransmits};
        let delta = MetricPoint { temporality: Temporality::Delta, ..of(Io, 5) };
        let points = [of(Retransmits, 1), of(Io, 2), of(Retransmits, 3), of(Io, 4), delta];
        let encoded = encoded(&points, usize::MAX);
        assert_eq!((encoded.requests.len(), encoded.requests[0].items), (1, 5));
        let metrics = &metrics(&encoded)[0];
        let seen: Vec<_> = metrics.iter().map(|m| (m.name.as_str(), m.unit.as_str(), values(m))).collect();
        assert_eq!(
            seen,
            [
                ("system.network.tcp.retransmits", "{segment}", vec![1, 3]),
                ("system.network.tcp.retransmit.io", "By", vec![2, 4]),
                ("system.network.tcp.retransmit.io", "By", vec![5]),
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
    fn splits_exactly_at_the_limit() {
        use metric::Metric::{Events, Retransmits};
        let points: Vec<_> =
            (1..=3).map(|v| of(Retransmits, v)).chain((4..=6).map(|v| of(Events, v))).collect();
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
