//! Batches arrive at the backend, and the ledger counts them.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use otel_tcpretrans_exporters::otlp::{self, Config, Kind};
use otel_tcpretrans_pipeline::books::{Books, DropReason, Signal};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use otel_tcpretrans_pipeline::metric::{MetricPoint, Temporality};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::backend::{Answer, Backend, text, value};
use crate::{drain, export, fixtures, ledger, logs, no_environment, resource};

/// An exporter to `url` that retries at once; `more` is further YAML of its configuration.
pub(crate) fn exporter(url: &str, signal: Signal, more: &str) -> Arc<dyn Exporter> {
    let yaml = format!(
        "{{ endpoint: '{url}', retry_on_failure: {{ initial_interval: 10ms, max_interval: 50ms }}, {more} }}"
    );
    let config: Config = serde_yaml::from_str(&yaml).expect(&yaml);
    assert_eq!(config.validate(Kind::Otlp, &no_environment), []);
    otlp::start("otlp", Kind::Otlp, signal, &config, &no_environment, &resource(), None, &Books::default())
        .expect("starts")
}

#[tokio::test]
async fn logs_arrive_with_all_their_fields() {
    let backend = Backend::start([]).await;
    let exporter = exporter(&backend.url(), Signal::Logs, "");
    let ledger = ledger(Signal::Logs);
    let batch = Batch::Logs([fixtures::record(1), fixtures::failed_syn(), fixtures::gap()].into());
    export(&*exporter, batch, &ledger).await;
    drain(&*exporter, &ledger).await;

    let [seen] = &backend.logs()[..] else { panic!("one request") };
    let [logs] = &seen.message.resource_logs[..] else { panic!("one resource") };
    let attributes = &logs.resource.as_ref().unwrap().attributes;
    for (name, expected) in [
        ("service.name", "otel-tcpretrans"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", "the-instance"),
        ("host.name", "the-host"),
        ("host.arch", "amd64"),
        ("os.type", "linux"),
        ("deployment.environment.name", "test"),
    ] {
        assert_eq!(value(attributes, name), text(expected), "{name}");
    }
    let scope = logs.scope_logs[0].scope.as_ref().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("otel-tcpretrans", env!("CARGO_PKG_VERSION")));

    let [sent, failed, gap] = &backend.records()[..] else { panic!("three records") };
    assert_eq!(sent.event_name, "tcp.retransmit");
    assert_eq!(sent.time_unix_nano, fixtures::START + 1_500_000);
    assert!(sent.observed_time_unix_nano > 0);
    for (name, expected) in [
        ("network.transport", text("tcp")),
        ("network.type", text("ipv4")),
        ("network.tcp.retransmit.type", text("timeout")),
        ("network.connection.state", text("established")),
        ("network.local.address", text("10.0.0.1")),
        ("network.local.port", Some(Value::IntValue(443))),
        ("network.peer.address", text("10.0.0.2")),
        ("network.peer.port", Some(Value::IntValue(50_001))),
        ("tcp.rtt", Some(Value::DoubleValue(0.0125))),
        ("tcp.segments", Some(Value::IntValue(2))),
        ("error.type", None),
    ] {
        assert_eq!(value(&sent.attributes, name), expected, "{name}");
    }
    assert_eq!(value(&failed.attributes, "network.type"), text("ipv6"));
    assert_eq!(value(&failed.attributes, "network.tcp.handshake.role"), text("client"));
    assert_eq!(value(&failed.attributes, "error.type"), text("EBUSY"));
    assert_eq!((sent.severity_text.as_str(), failed.severity_text.as_str()), ("INFO", "WARN"));
    assert_eq!((gap.event_name.as_str(), gap.severity_text.as_str()), ("tcp.retransmit.gap", "WARN"));
    assert_eq!(value(&gap.attributes, "tcp.events"), Some(Value::IntValue(12)));
    assert_eq!(value(&gap.attributes, "tcp.slow_start"), Some(Value::BoolValue(false)));
    assert_eq!(value(&gap.attributes, "network.peer.address"), None);
    assert_eq!(ledger.counts().delivered, 3);
}

#[tokio::test]
async fn metrics_arrive_as_monotonic_sums() {
    let backend = Backend::start([]).await;
    let exporter = exporter(&backend.url(), Signal::Metrics, "");
    let ledger = ledger(Signal::Metrics);
    export(&*exporter, Batch::Metrics([fixtures::point(42)].into()), &ledger).await;
    drain(&*exporter, &ledger).await;

    let [seen] = &backend.metrics()[..] else { panic!("one request") };
    let [metric] = &seen.message.resource_metrics[0].scope_metrics[0].metrics[..] else {
        panic!("one metric")
    };
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("system.network.tcp.retransmits", "{segment}"));
    let Some(Data::Sum(sum)) = &metric.data else { panic!("a sum") };
    assert!(sum.is_monotonic);
    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Cumulative);
    let [point] = &sum.data_points[..] else { panic!("one point") };
    assert_eq!(point.value, Some(number_data_point::Value::AsInt(42)));
    assert_eq!(point.start_time_unix_nano, fixtures::START);
    assert_eq!(value(&point.attributes, "network.tcp.retransmit.type"), text("fast"));
    assert_eq!(ledger.counts().delivered, 1);
}

#[tokio::test]
async fn the_temporality_is_the_exporters_or_the_pipelines() {
    let backend = Backend::start([]).await;
    for (configured, expected) in [
        ("", None),
        ("temporality: cumulative", Some(Temporality::Cumulative)),
        ("temporality: delta", Some(Temporality::Delta)),
    ] {
        assert_eq!(exporter(&backend.url(), Signal::Metrics, configured).temporality(), expected);
    }
    let exporter = exporter(&backend.url(), Signal::Metrics, "");
    let ledger = ledger(Signal::Metrics);
    let point = MetricPoint { temporality: Temporality::Delta, ..fixtures::point(42) };
    export(&*exporter, Batch::Metrics([point].into()), &ledger).await;
    drain(&*exporter, &ledger).await;
    let [seen] = &backend.metrics()[..] else { panic!("one request") };
    let Some(Data::Sum(sum)) = &seen.message.resource_metrics[0].scope_metrics[0].metrics[0].data else {
        panic!("a sum")
    };
    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
    assert_eq!(sum.data_points[0].value, Some(number_data_point::Value::AsInt(2)));
    assert_eq!(sum.data_points[0].start_time_unix_nano, fixtures::START + 5_000_000_000);
}

#[tokio::test]
async fn compression_and_headers_are_as_configured() {
    for (configured, header) in [("none", None), ("gzip", Some("gzip")), ("zstd", Some("zstd"))] {
        let backend = Backend::start([]).await;
        let more = format!("compression: {configured}, headers: {{ Authorization: 'Bearer t', x-scope: a }}");
        let exporter = exporter(&backend.url(), Signal::Logs, &more);
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(100), &ledger).await;
        drain(&*exporter, &ledger).await;
        let seen = &backend.logs()[0];
        let sent = |name: &str| seen.metadata.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(sent("grpc-encoding"), header, "{configured}");
        assert_eq!((sent("authorization"), sent("x-scope")), (Some("Bearer t"), Some("a")));
        assert!(sent("user-agent").unwrap().starts_with("otel-tcpretrans/"), "{:?}", sent("user-agent"));
        assert_eq!(backend.records().len(), 100, "{configured}");
        assert_eq!(ledger.counts().delivered, 100);
    }
}

#[tokio::test]
async fn unavailable_is_retried_without_loss_or_duplicates_in_the_books() {
    let unavailable = || Answer::Refuse(Status::unavailable("not now"));
    let backend = Backend::start([unavailable(), unavailable()]).await;
    let exporter = exporter(&backend.url(), Signal::Logs, "");
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(10), &ledger).await;
    backend.arrived(3).await;
    drain(&*exporter, &ledger).await;
    assert_eq!(backend.count(), 3);
    let seen = backend.logs();
    assert!(seen.iter().all(|other| other.message == seen[0].message), "the same bytes, each time");
    let counts = ledger.counts();
    assert_eq!((counts.delivered, counts.rejected, counts.dropped_total()), (10, 0, 0));
}

#[tokio::test]
async fn exhaustion_is_retried_only_with_retry_info_and_after_its_delay() {
    let wait = Duration::from_millis(300);
    let details = ErrorDetails::with_retry_info(Some(wait));
    let throttled = Status::with_error_details(Code::ResourceExhausted, "slow down", details);
    let backend = Backend::start([Answer::Refuse(throttled)]).await;
    let patient = exporter(&backend.url(), Signal::Logs, "");
    let books = ledger(Signal::Logs);
    export(&*patient, logs(3), &books).await;
    backend.arrived(2).await;
    drain(&*patient, &books).await;
    let seen = backend.logs();
    assert!(seen[1].at - seen[0].at >= wait, "{:?}", seen[1].at - seen[0].at);
    assert_eq!(books.counts().delivered, 3);

    let backend = Backend::start([Answer::Refuse(Status::resource_exhausted("quota"))]).await;
    let exporter = exporter(&backend.url(), Signal::Logs, "");
    let books = ledger(Signal::Logs);
    export(&*exporter, logs(3), &books).await;
    drain(&*exporter, &books).await;
    assert_eq!(backend.count(), 1, "a quota is not retried");
    assert_eq!(books.counts().dropped.get(&DropReason::PermanentError), Some(&3));
}

#[tokio::test]
async fn a_partial_success_is_accounted_for_and_not_retried() {
    for signal in [Signal::Logs, Signal::Metrics] {
        let backend = Backend::start([Answer::Partial { rejected: 2, message: "too old".into() }]).await;
        let exporter = exporter(&backend.url(), signal, "");
        let ledger = ledger(signal);
        let batch = match signal {
            Signal::Logs => logs(5),
            Signal::Metrics => Batch::Metrics((0..5).map(fixtures::point).collect()),
        };
        export(&*exporter, batch, &ledger).await;
        drain(&*exporter, &ledger).await;
        assert_eq!(backend.count(), 1);
        let counts = ledger.counts();
        assert_eq!((counts.delivered, counts.rejected), (3, 2), "{signal}");
    }
}

#[tokio::test]
async fn a_permanent_error_drops_at_once() {
    for code in
        [Code::InvalidArgument, Code::Unauthenticated, Code::Unimplemented, Code::Internal, Code::Unknown]
    {
        let backend = Backend::start([Answer::Refuse(Status::new(code, "no"))]).await;
        let exporter = exporter(&backend.url(), Signal::Logs, "");
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(4), &ledger).await;
        drain(&*exporter, &ledger).await;
        assert_eq!(backend.count(), 1, "{code:?}");
        assert_eq!(ledger.counts().dropped.get(&DropReason::PermanentError), Some(&4), "{code:?}");
    }
}

#[tokio::test]
async fn a_batch_larger_than_the_whole_queue_gets_through_it() {
    let backend = Backend::start([]).await;
    let exporter =
        exporter(&backend.url(), Signal::Logs, "sending_queue: { queue_size: 64KiB, on_full: block }");
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(1000), &ledger).await;
    drain(&*exporter, &ledger).await;
    assert_eq!(ledger.counts().delivered, 1000, "{:?}", ledger.counts());
}

/// A request is small compared with its queue: while one is in flight, the queue has room for the next ones.
#[tokio::test]
async fn a_request_takes_a_quarter_of_its_queue_at_most() {
    let backend = Backend::start([Answer::Hang]).await;
    let more = "compression: none, sending_queue: { queue_size: 64KiB, num_consumers: 1 }, timeout: 300ms";
    let exporter = exporter(&backend.url(), Signal::Logs, more);
    let ledger = ledger(Signal::Logs);
    for _ in 0..2 {
        export(&*exporter, logs(40), &ledger).await;
    }
    drain(&*exporter, &ledger).await;
    let sizes: Vec<_> = backend.logs().iter().map(|seen| seen.message.encoded_len()).collect();
    assert!(sizes.iter().all(|size| *size <= 16 << 10), "{sizes:?}");
    let distinct: usize = sizes.iter().skip(1).sum(); // the first one is sent twice
    assert!((32 << 10..=64 << 10).contains(&distinct), "most of the queue: {sizes:?}");
    assert_eq!((ledger.counts().delivered, ledger.counts().dropped_total()), (80, 0));
}

#[tokio::test]
async fn a_batch_too_large_for_a_request_becomes_several() {
    let backend = Backend::start([]).await;
    let exporter = exporter(&backend.url(), Signal::Logs, "compression: none");
    let ledger = ledger(Signal::Logs);
    // More than 4 MiB, which is what a gRPC server takes at once by default.
    export(&*exporter, logs(12_000), &ledger).await;
    drain(&*exporter, &ledger).await;
    assert!(backend.count() >= 2, "{} requests", backend.count());
    let mut ports: Vec<_> =
        backend.records().iter().map(|r| value(&r.attributes, "network.peer.port")).collect();
    ports.sort_by_key(|port| match port {
        Some(Value::IntValue(port)) => *port,
        other => panic!("{other:?}"),
    });
    assert_eq!(ports, (0..12_000).map(|n| Some(Value::IntValue(50_000 + n))).collect::<Vec<_>>());
    assert_eq!(ledger.counts().delivered, 12_000);
}
