//! Backends that can't be reached, that do not answer, or whose answer can't be used.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use otel_tcpretrans_exporters::otlp::{Config, Encoder, Encoding, GrpcTransport, Kind};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::delivery::{Compression, Encode, Request, SendError, Transport};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::backend::{Answer, Backend};
use crate::delivery::exporter;
use crate::{drain, export, ledger, logs, no_environment, resource};

pub(crate) fn transport(url: &str, timeout: &str) -> GrpcTransport {
    let config: Config =
        serde_yaml::from_str(&format!("{{ endpoint: '{url}', timeout: {timeout} }}")).expect("a config");
    let settings = config.resolve(Kind::Otlp, Signal::Logs, &no_environment).expect("settings");
    GrpcTransport::connect_lazy(Signal::Logs, &settings).expect("nothing to read")
}

pub(crate) fn request() -> Request {
    let encoding = Encoding { compression: Compression::Gzip, ..Encoding::default() };
    Encoder::new(&resource(), &encoding).encode(&logs(1)).requests.remove(0)
}

fn retryable(error: SendError) -> String {
    match error {
        SendError::Retryable { message, after: None } => message,
        other => panic!("{other:?}"),
    }
}

/// A port where nobody listens.
async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn an_unreachable_backend_is_tried_until_it_is_there() {
    let address = closed_port().await;
    let url = format!("http://{address}");
    let probe = transport(&url, "5s");
    let message = retryable(probe.send(&request()).await.expect_err("nobody is there"));
    assert!(message.starts_with(&url) && message.contains("Connection refused"), "{message}");

    let exporter = exporter(&url, Signal::Logs, "");
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(7), &ledger).await;
    let backend = Backend::serve(address, None, []).await;
    backend.arrived(1).await;
    drain(&*exporter, &ledger).await;
    assert_eq!((backend.count(), ledger.counts().delivered), (1, 7));
    assert!(probe.send(&request()).await.is_ok(), "a transport that failed works again");
}

#[tokio::test]
async fn a_backend_that_does_not_answer_in_time_is_tried_again() {
    let backend = Backend::start([Answer::Hang]).await;
    let transport = transport(&backend.url(), "200ms");
    let message = retryable(transport.send(&request()).await.expect_err("no answer"));
    assert_eq!(message, format!("{}: no answer within 200ms", backend.url()));
    assert!(transport.send(&request()).await.is_ok());
}

/// The URL of a relay to `target`. It accepts the first connection and never answers it, as if the peer had vanished.
/// It forwards the others.
pub(crate) async fn over_silence(target: SocketAddr) -> String {
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", relay.local_addr().unwrap());
    tokio::spawn(async move {
        let (_silent, _) = relay.accept().await.unwrap();
        loop {
            let (mut client, _) = relay.accept().await.unwrap();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let backend = Backend::start([]).await;
    let transport = transport(&over_silence(backend.address).await, "300ms");
    retryable(transport.send(&request()).await.expect_err("silence"));
    // Under load the second connection may miss the timeout too. The silent one would miss it every time.
    let mut tries = 0;
    while let Err(error) = transport.send(&request()).await {
        retryable(error);
        tries += 1;
        assert!(tries < 50, "the silent connection was not replaced");
    }
    assert!(backend.count() > 0);
}

#[tokio::test]
async fn a_peer_that_speaks_no_grpc_is_retryable_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let message = retryable(transport(&url, "5s").send(&request()).await.expect_err("closed at once"));
    assert!(message.starts_with(&url), "{message}");
}

/// A proxy that can't reach its backend, or that has waited too long for it, answers with a page of its own.
#[tokio::test]
async fn a_proxys_page_is_judged_by_its_http_status() {
    for (status, is_retryable) in
        [(502, true), (503, true), (504, true), (429, true), (500, false), (404, false), (401, false)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let page = service_fn(|_| async move {
                let page = Full::new(bytes::Bytes::from_static(b"<html>no</html>"));
                http::Response::builder().status(status).header("content-type", "text/html").body(page)
            });
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), page).await
        });
        let error = transport(&url, "5s").send(&request()).await.expect_err("a page");
        assert_eq!(matches!(error, SendError::Retryable { .. }), is_retryable, "{status}: {error}");
        assert!(error.to_string().contains(&format!("HTTP {status} ")), "{error}");
    }
}

#[tokio::test]
async fn a_long_remark_is_cut() {
    let backend = Backend::start([Answer::Partial { rejected: 1, message: "x".repeat(1 << 20) }]).await;
    let accepted = transport(&backend.url(), "20s").send(&request()).await.expect("taken");
    assert_eq!((accepted.rejected, accepted.message.chars().count()), (1, 1025));
}

#[tokio::test]
async fn shutdown_drops_what_can_not_be_delivered_by_its_deadline() {
    let exporter = exporter(&format!("http://{}", closed_port().await), Signal::Logs, "");
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(5), &ledger).await;
    exporter.shutdown(tokio::time::Instant::now() + Duration::from_millis(100)).await;
    let counts = ledger.counts();
    assert_eq!((counts.dropped_total(), counts.in_flight(), counts.queued), (5, 0, 0), "{counts:?}");
}
