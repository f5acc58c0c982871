//! Points are what prost encodes, those of one metric are together, and requests end at the limit.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded};
use otel_tcpretrans_pipeline::processors::{EVENTS, IO, RETRANSMITS, RTT};
use proptest::prelude::*;
use prost::Message;

use super::super::body::Spare;
use super::super::compress::Compressor;
use super::super::frame::Envelope;
use super::*;
use crate::otlp::encode::requests::Last;
use crate::resource::Resource;
use crate::{fixtures, reference};

fn encoded(points: &[MetricPoint], limit: usize) -> Encoded {
    let (envelope, compressor) = (Envelope::new(&Resource::default()), Compressor::new(Compression::None, 1));
    let spare = Spare::default();
    let mut requests = Requests::new(
        &envelope,
        Last { translate: None, compressor: &compressor },
        limit,
        points.len(),
        &spare,
    );
    encode(points.iter(), &mut requests);
    requests.finish()
}

fn metrics(encoded: &Encoded) -> Vec<Vec<Metric>> {
    let requests = encoded.requests.iter().map(|request| {
        let decoded = ExportMetricsServiceRequest::decode(request.body.clone()).expect("a request");
        assert_eq!(decoded.encoded_len(), request.body.len(), "it has nothing that prost does not know");
        decoded.resource_metrics.into_iter().next().expect("a resource").scope_metrics.remove(0).metrics
    });
    requests.collect()
}

fn data_points(metric: &Metric) -> &[NumberDataPoint] {
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?} is no sum") };
    assert!(sum.is_monotonic);
    &sum.data_points
}

/// A point as it is sent.
fn data_point(point: &MetricPoint) -> NumberDataPoint {
    data_points(&metrics(&encoded(std::slice::from_ref(point), usize::MAX))[0][0])[0].clone()
}

fn values(metric: &Metric) -> Vec<i64> {
    data_points(metric)
        .iter()
        .map(|p| match p.value {
            Some(Value::AsInt(v)) => v,
            v => panic!("{v:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_points_are_what_prost_would_make_of_them(
        points in proptest::collection::vec(reference::points(), 1..4),
        descriptor in proptest::sample::select(vec![&RETRANSMITS, &RTT]),
    ) {
        let points: Vec<_> = points.into_iter().map(|point| MetricPoint { descriptor, ..point }).collect();
        let encoded = encoded(&points, usize::MAX);
        let decoded = ExportMetricsServiceRequest::decode(encoded.requests[0].body.clone()).expect("a request");
        let metric = &decoded.resource_metrics[0].scope_metrics[0].metrics[0];
        let expected: Vec<_> = points.iter().map(reference::data_point).collect();
        prop_assert_eq!(data_points(metric), &expected);
    }
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
        let values: Vec<Vec<_>> = metrics(&encoded).iter().map(|m| m.iter().map(values).collect()).collect();
        let items: Vec<_> = encoded.requests.iter().map(|r| r.items).collect();
        (values, items)
    };
    assert_eq!(split(four), (vec![vec![vec![1, 2, 3], vec![4]], vec![vec![5, 6]]], vec![4, 2]));
    assert_eq!(split(four - 1), (vec![vec![vec![1, 2, 3]], vec![vec![4, 5, 6]]], vec![3, 3]));
    let one = encoded(&points[..1], usize::MAX).requests[0].body.len();
    let alone = encoded(&points, one - 1);
    assert_eq!((alone.requests.len() as u64, alone.too_large), (3, 3), "the shorter name still fits");
}
