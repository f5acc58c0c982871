//! OTLP over HTTP, against a server made by hand that answers by script and shows each request as it came.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use otel_tcpretrans_exporters::otlp::{self, Config, Kind};
use otel_tcpretrans_pipeline::books::{Books, DropReason, Signal};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::{PATIENCE, drain, export, fixtures, ledger, logs, no_environment, resource};

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    at: Instant,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The body, without its compression.
    fn plain(&self) -> Vec<u8> {
        match self.header("content-encoding") {
            "" => self.body.to_vec(),
            "gzip" => {
                let mut plain = Vec::new();
                GzDecoder::new(&*self.body).read_to_end(&mut plain).expect("gzip");
                plain
            }
            "zstd" => zstd::decode_all(&*self.body).expect("zstd"),
            other => panic!("{other:?}"),
        }
    }
}

/// What a request is answered with.
#[derive(Clone)]
enum Reply {
    /// Status, headers, body.
    Of(u16, Vec<(&'static str, String)>, Bytes),
    Hang,
    /// The connection is closed without an answer.
    Close,
}

fn status(status: u16) -> Reply {
    Reply::Of(status, vec![], Bytes::new())
}

/// A server. After its script it answers 200 without a body.
pub(crate) struct Server {
    pub(crate) port: u16,
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<watch::Sender<Vec<Seen>>>,
}

impl Server {
    async fn start(script: impl IntoIterator<Item = Reply>) -> Server {
        Server::serve(script, None).await
    }

    pub(crate) async fn with_tls(acceptor: TlsAcceptor) -> Server {
        Server::serve([], Some(acceptor)).await
    }

    async fn serve(script: impl IntoIterator<Item = Reply>, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server =
            Server { port, script: Arc::new(Mutex::new(script.into_iter().collect())), seen: Arc::default() };
        let (script, seen) = (Arc::clone(&server.script), Arc::clone(&server.seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, seen, tls) = (Arc::clone(&script), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => connection(stream, script, seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => connection(stream, script, seen).await,
                            Err(_refused) => {}
                        },
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.borrow().len()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Waits until so many requests have arrived.
    async fn arrived(&self, count: usize) {
        let mut seen = self.seen.subscribe();
        let arrived = seen.wait_for(|seen| seen.len() >= count);
        timeout(PATIENCE, arrived).await.expect("the requests").expect("the server lives");
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<watch::Sender<Vec<Seen>>>,
) {
    let service = service_fn(|request: http::Request<Incoming>| {
        let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let at = Instant::now();
            let request = Seen { method: head.method, uri: head.uri, headers: head.headers, body, at };
            seen.send_modify(|seen| seen.push(request));
            let reply = script.lock().unwrap().pop_front().unwrap_or_else(|| status(200));
            match reply {
                Reply::Of(status, headers, body) => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    Ok(response.body(Full::new(body)).expect("a response"))
                }
                Reply::Hang => std::future::pending().await,
                Reply::Close => Err(io::Error::other("closed")),
            }
        }
    });
    // The client may go away at any time.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

pub(crate) fn exporter(url: &str, signal: Signal, more: &str) -> Arc<dyn Exporter> {
    let retry = match more.contains("retry_on_failure") {
        true => "",
        false => "retry_on_failure: { initial_interval: 10ms, max_interval: 50ms },",
    };
    let yaml = format!("{{ endpoint: '{url}', {retry} {more} }}");
    let config: Config = serde_yaml::from_str(&yaml).expect(&yaml);
    assert_eq!(config.validate(Kind::OtlpHttp, &no_environment), []);
    otlp::start(
        "otlp_http",
        Kind::OtlpHttp,
        signal,
        &config,
        &no_environment,
        &resource(),
        None,
        &Books::default(),
    )
    .expect("starts")
}

fn points() -> Batch {
    Batch::Metrics((0..5).map(fixtures::point).collect())
}

/// Sends five items, waits for so many requests, and returns the requests, and how many items were delivered.
async fn sent(server: &Server, signal: Signal, more: &str, requests: usize) -> (Vec<Seen>, u64) {
    let exporter = exporter(&server.url(), signal, more);
    let ledger = ledger(signal);
    let batch = if signal == Signal::Logs { logs(5) } else { points() };
    export(&*exporter, batch, &ledger).await;
    server.arrived(requests).await; // a drain would not wait as long as the backend asks to
    drain(&*exporter, &ledger).await;
    (server.seen(), ledger.counts().delivered)
}

#[tokio::test]
async fn each_form_and_compression_arrives_at_its_path() {
    for compression in ["none", "gzip", "zstd"] {
        let server = Server::start([]).await;
        let more = format!("compression: {compression}, headers: {{ X-Tenant: a }}");
        let (seen, delivered) = sent(&server, Signal::Logs, &more, 1).await;
        assert_eq!((seen.len(), delivered), (1, 5), "{compression}");
        let seen = &seen[0];
        assert_eq!((&seen.method, seen.uri.path()), (&Method::POST, "/v1/logs"));
        assert_eq!(seen.header("content-type"), "application/x-protobuf");
        assert_eq!(seen.header("x-tenant"), "a");
        assert!(seen.header("user-agent").starts_with("otel-tcpretrans/"), "{seen:?}");
        let request = ExportLogsServiceRequest::decode(&*seen.plain()).expect("protobuf");
        assert_eq!(request.resource_logs[0].scope_logs[0].log_records.len(), 5);
    }
}

/// What opentelemetry-proto reads back from the JSON is what the protobuf has.
#[tokio::test]
async fn json_says_the_same_as_protobuf() {
    let server = Server::start([]).await;
    sent(&server, Signal::Metrics, "compression: gzip", 1).await;
    sent(&server, Signal::Metrics, "compression: gzip, encoding: json", 2).await;
    let seen = server.seen();
    let (protobuf, json) = (&seen[0], &seen[1]);
    assert_eq!((json.header("content-type"), json.uri.path()), ("application/json", "/v1/metrics"));
    let expected = ExportMetricsServiceRequest::decode(&*protobuf.plain()).expect("protobuf");
    let read: ExportMetricsServiceRequest = serde_json::from_slice(&json.plain()).expect("JSON");
    assert_eq!(read, expected);
    let text = String::from_utf8(json.plain()).unwrap();
    assert!(text.contains("\"resourceMetrics\"") && text.contains("\"isMonotonic\":true"), "{text}");
    assert!(text.contains("\"startTimeUnixNano\":\""), "64 bits are a text: {text}");
}

#[tokio::test]
async fn a_full_backend_is_asked_again_when_it_says() {
    let after = |value: String| Reply::Of(429, vec![("retry-after", value)], Bytes::new());
    let in_seconds = |seconds| SystemTime::now() + Duration::from_secs(seconds);
    for (case, least) in [("seconds", 1000), ("a date", 1500), ("nothing", 0)] {
        let reply = match case {
            "seconds" => after("1".into()),
            "a date" => after(httpdate::fmt_http_date(in_seconds(3))), // cut to whole seconds
            _ => status(503),
        };
        let server = Server::start([reply]).await;
        let (seen, delivered) = sent(&server, Signal::Logs, "compression: none", 2).await;
        assert_eq!((seen.len(), delivered), (2, 5));
        assert_eq!(seen[0].body, seen[1].body);
        assert!(seen[1].at - seen[0].at >= Duration::from_millis(least), "{case}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_hangs_is_tried_again() {
    for reply in [Reply::Close, Reply::Hang, status(502)] {
        let server = Server::start([reply]).await;
        let (seen, delivered) = sent(&server, Signal::Logs, "timeout: 300ms", 2).await;
        assert_eq!((seen.len(), delivered), (2, 5));
    }
}

#[tokio::test]
async fn what_no_attempt_can_mend_is_dropped_at_once() {
    let page = Reply::Of(200, vec![("content-type", "text/html".into())], "<html>".into());
    let elsewhere = Reply::Of(308, vec![("location", "/elsewhere".into())], Bytes::new());
    let huge =
        Reply::Of(200, vec![("content-type", "application/x-protobuf".into())], vec![0; 5 << 20].into());
    for reply in [status(400), status(401), status(404), status(500), page, elsewhere, huge] {
        let server = Server::start([reply]).await;
        let exporter = exporter(&server.url(), Signal::Logs, "");
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(4), &ledger).await;
        drain(&*exporter, &ledger).await;
        assert_eq!(server.count(), 1, "no redirect is followed, and nothing is sent again");
        assert_eq!(ledger.counts().dropped.get(&DropReason::PermanentError), Some(&4));
    }
}

#[tokio::test]
async fn a_partial_success_is_in_the_books() {
    let partial = ExportLogsPartialSuccess { rejected_log_records: 2, error_message: "old".into() };
    let answer = ExportLogsServiceResponse { partial_success: Some(partial) };
    let json = r#"{"partialSuccess":{"rejectedLogRecords":2}}"#;
    for (kind, body) in
        [("application/x-protobuf", answer.encode_to_vec().into()), ("application/json", Bytes::from(json))]
    {
        let server = Server::start([Reply::Of(200, vec![("content-type", kind.into())], body)]).await;
        let exporter = exporter(&server.url(), Signal::Logs, "");
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(5), &ledger).await;
        drain(&*exporter, &ledger).await;
        let counts = ledger.counts();
        assert_eq!((counts.delivered, counts.rejected), (3, 2), "{kind}");
    }
}

#[tokio::test]
async fn a_proxy_gets_the_whole_url_and_its_credentials() {
    let proxy = Server::start([]).await;
    let more = format!("proxy_url: 'http://user:word@127.0.0.1:{}'", proxy.port);
    let exporter = exporter("http://backend.invalid:4318", Signal::Logs, &more);
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(5), &ledger).await;
    drain(&*exporter, &ledger).await;
    let seen = proxy.seen();
    assert_eq!((seen.len(), ledger.counts().delivered), (1, 5));
    assert_eq!(seen[0].uri.to_string(), "http://backend.invalid:4318/v1/logs");
    assert_eq!(seen[0].header("proxy-authorization"), "Basic dXNlcjp3b3Jk");
}
