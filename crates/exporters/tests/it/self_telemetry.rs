//! The process's own metrics, scraped and pushed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use otel_tcpretrans_exporters::self_telemetry::{
    MetricsConfig, RunningTelemetry, SelfTelemetry, TelemetryError,
};
use otel_tcpretrans_pipeline::books::{Books, DropReason, LedgerKey, Signal};
use otel_tcpretrans_pipeline::telemetry::Observed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::backend::{Backend, text, value};
use crate::outages::over_silence;
use crate::{PATIENCE, no_environment, resource};

fn telemetry(yaml: &str) -> SelfTelemetry {
    let config: MetricsConfig = serde_yaml::from_str(yaml).expect(yaml);
    SelfTelemetry::new(&config, &no_environment, &resource()).expect("set up")
}

async fn observing(yaml: &str, books: &Books) -> RunningTelemetry {
    let telemetry = telemetry(yaml);
    let observed = Observed::register(telemetry.meter(), "otelcol_tcpretrans", books);
    telemetry.start(move || observed.refresh()).await.expect("started")
}

/// A key of one exporter's ledger.
fn key() -> LedgerKey {
    LedgerKey { pipeline: "logs".into(), signal: Signal::Logs, exporter: Some("otlp".into()) }
}

/// Sends a request and returns head and body of the answer.
async fn request(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_ascii_lowercase(), body.to_owned())
    };
    timeout(PATIENCE, exchange).await.expect("an answer")
}

/// The values of a scrape by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_scrape_has_the_collectors_names() {
    let books = Books::default();
    let ledger = books.open(key());
    ledger.accept(10);
    ledger.deliver(7, 1);
    ledger.drop_items(2, DropReason::QueueFull);
    let running = observing("prometheus: 127.0.0.1:0", &books).await;
    let (head, body) = request(running.address().unwrap(), "GET", "/metrics").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let samples = samples(&body);
    for (name, expected) in [
        ("otelcol_exporter_sent_log_records{exporter=\"otlp\"}", 6.0),
        ("otelcol_exporter_send_failed_log_records{exporter=\"otlp\"}", 1.0),
        ("otelcol_exporter_enqueue_failed_log_records{exporter=\"otlp\"}", 2.0),
    ] {
        assert_eq!(samples.get(name), Some(&expected), "{name} in {body}");
    }
    assert!(samples["otelcol_process_memory_rss"] > 1e5, "{body}");
    assert!(samples.contains_key("otelcol_process_uptime"), "{body}");
    assert!(samples.contains_key("otelcol_process_cpu_seconds"), "{body}");
    assert!(body.contains("# TYPE otelcol_exporter_sent_log_records counter\n"), "{body}");
    assert!(body.contains("# TYPE otelcol_process_memory_rss gauge\n"), "{body}");
    assert!(body.contains("target_info{") && body.contains("service_name=\"otel-tcpretrans\""), "{body}");
    assert!(!body.contains("otel_scope") && !body.contains("_total"), "{body}");
    ledger.accept(5);
    ledger.deliver(5, 0);
    let (_, body) = request(running.address().unwrap(), "GET", "/metrics").await;
    assert_eq!(self::samples(&body)["otelcol_exporter_sent_log_records{exporter=\"otlp\"}"], 11.0);
    running.shutdown(Instant::now() + PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_shows_one_moment() {
    let books = Books::default();
    let ledger = books.open(key());
    let stop = Arc::new(AtomicBool::new(false));
    let busy = std::thread::spawn({
        let stop = stop.clone();
        move || {
            while !stop.load(Ordering::Relaxed) {
                ledger.accept(3);
                ledger.deliver(2, 0);
                ledger.drop_items(1, DropReason::QueueFull);
            }
        }
    });
    let running = observing("prometheus: 127.0.0.1:0", &books).await;
    let mut last = 0.0;
    for _ in 0..20 {
        let (_, body) = request(running.address().unwrap(), "GET", "/metrics").await;
        let items = |metric: &str| -> f64 {
            let of = samples(&body).into_iter().filter(|(name, _)| name.starts_with(metric));
            of.map(|(_, value)| value).sum()
        };
        let all = items("otelcol_tcpretrans_exporter_items{");
        let accepted: f64 = samples(&body)
            .into_iter()
            .filter(|(name, _)| {
                name.starts_with("otelcol_tcpretrans_exporter_items{") && name.contains("\"accepted\"")
            })
            .map(|(_, value)| value)
            .sum();
        let in_flight = items("otelcol_tcpretrans_exporter_in_flight_items{");
        assert_eq!(accepted, all - accepted + in_flight, "accepted = settled + in flight, in {body}");
        let sent = items("otelcol_exporter_sent_log_records{");
        let failed = items("otelcol_exporter_enqueue_failed_log_records{");
        assert_eq!(accepted, sent + failed + in_flight, "and so for other instruments, in {body}");
        assert!(accepted >= last);
        last = accepted;
    }
    assert!(last > 0.0);
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    running.shutdown(Instant::now() + PATIENCE).await;
}

#[tokio::test]
async fn only_metrics_are_served_and_only_for_reading() {
    let running = observing("prometheus: localhost:0", &Books::default()).await;
    let address = running.address().unwrap();
    assert!(request(address, "GET", "/").await.0.starts_with("http/1.1 404"));
    assert!(request(address, "GET", "/metrics/x").await.0.starts_with("http/1.1 404"));
    let (head, _) = request(address, "POST", "/metrics").await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"), "{head}");
    let (head, body) = request(address, "HEAD", "/metrics").await;
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
    running.shutdown(Instant::now() + PATIENCE).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens after a shutdown");
}

#[tokio::test]
async fn clients_that_do_not_read_do_not_block_others() {
    let running = observing("prometheus: 127.0.0.1:0", &Books::default()).await;
    let address = running.address().unwrap();
    // More answers than all buffers hold.
    let many = b"GET /metrics HTTP/1.1\r\nhost: test\r\n\r\n".repeat(20_000);
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        let mut client = socket.connect(address).await.unwrap();
        let many = many.clone();
        clients.spawn(async move {
            let _ = client.write_all(&many).await; // the server may close the connection
            std::future::pending::<()>().await;
        });
    }
    let (head, _) = request(address, "GET", "/metrics").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    running.shutdown(Instant::now() + PATIENCE).await;
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    match telemetry(&format!("prometheus: '{address}'")).start(|| ()).await {
        Err(error @ TelemetryError::Bind { .. }) => assert_eq!(
            error.to_string(),
            format!(
                "service.telemetry.metrics.prometheus: can't listen on {address}: Address already in use (os error 98)"
            )
        ),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two on one address"),
    }
}

#[tokio::test]
async fn nothing_listens_if_nothing_is_configured() {
    let running = observing("{ prometheus: null, otlp: null }", &Books::default()).await;
    assert_eq!(running.address(), None);
    running.shutdown(Instant::now() + PATIENCE).await;
}

/// The value of the last push of `otelcol_exporter_sent_log_records`.
fn pushed(backend: &Backend) -> Option<Value> {
    let last = backend.metrics().pop()?.message;
    let metrics = last.resource_metrics.into_iter().flat_map(|r| r.scope_metrics).flat_map(|s| s.metrics);
    metrics.filter(|metric| metric.name == "otelcol_exporter_sent_log_records").find_map(|metric| {
        assert_eq!(metric.unit, "{record}", "the Collector's");
        match metric.data {
            Some(Data::Sum(sum)) => sum.data_points.first()?.value,
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test]
async fn pushes_at_each_interval_and_once_more_at_the_end() {
    let backend = Backend::start([]).await;
    let books = Books::default();
    let ledger = books.open(key());
    ledger.accept(6);
    ledger.deliver(6, 0);
    let yaml = format!(
        "{{ prometheus: null, otlp: {{ endpoint: '{}', interval: 50ms, headers: {{ x-a: b }}, compression: zstd }} }}",
        backend.url()
    );
    let running = observing(&yaml, &books).await;
    backend.arrived(2).await;
    assert_eq!(pushed(&backend), Some(Value::AsInt(6)));
    ledger.accept(1);
    ledger.deliver(1, 0);
    running.shutdown(Instant::now() + PATIENCE).await;
    assert_eq!(pushed(&backend), Some(Value::AsInt(7)), "the last numbers are pushed at the end");
    let seen = &backend.metrics()[0];
    let header = |name: &str| seen.metadata.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("x-a"), header("grpc-encoding")), (Some("b"), Some("zstd")));
    let resource = seen.message.resource_metrics[0].resource.as_ref().unwrap();
    assert_eq!(value(&resource.attributes, "service.name"), text("otel-tcpretrans"));
    assert_eq!(value(&resource.attributes, "host.name"), text("the-host"));
}

#[tokio::test]
async fn a_push_does_not_wait_for_a_silent_connection() {
    let backend = Backend::start([]).await;
    let url = over_silence(backend.address).await;
    let yaml =
        format!("{{ prometheus: null, otlp: {{ endpoint: '{url}', interval: 50ms, timeout: 300ms }} }}");
    let running = observing(&yaml, &Books::default()).await;
    backend.arrived(1).await;
    running.shutdown(Instant::now() + PATIENCE).await;
}

#[tokio::test]
async fn the_last_push_is_made_even_if_the_drain_took_all_the_time() {
    let backend = Backend::start([]).await;
    let yaml = format!("{{ prometheus: null, otlp: {{ endpoint: '{}' }} }}", backend.url());
    observing(&yaml, &Books::default()).await.shutdown(Instant::now()).await;
    assert_eq!(backend.count(), 1);
}

#[tokio::test]
async fn an_unreachable_backend_does_not_delay_the_shutdown() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let yaml = format!("{{ prometheus: null, otlp: {{ endpoint: 'http://{address}' }} }}");
    let running = observing(&yaml, &Books::default()).await;
    let stopped = running.shutdown(Instant::now() + std::time::Duration::from_millis(200));
    timeout(PATIENCE, stopped).await.expect("ends at its deadline");
}
