//! Prometheus text at `/metrics`.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::error::OTelSdkError;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::refresher::Refresher;

/// Connections at once; the others wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long a client may take for its request and for reading the answer; it has a place for so long.
const EXCHANGE: Duration = Duration::from_secs(10);
/// Wait after a failure to accept, which is mostly a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// A reader of instruments and the registry that shows what it reads, names and labels as they were registered.
pub(super) fn reader() -> Result<(Registry, PrometheusExporter), OTelSdkError> {
    let registry = Registry::new();
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .without_units()
        .without_counter_suffixes()
        .scope_info_enabled(false)
        .build()?;
    Ok((registry, reader))
}

/// Answers until `stop`'s sender is gone.
pub(super) async fn serve(
    listener: TcpListener,
    registry: Registry,
    refresher: Arc<Refresher>,
    mut stop: watch::Receiver<()>,
) {
    let registry = Arc::new(registry);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return, // and the connections with it
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Some(Ok((stream, place))) => {
                let (registry, refresher) = (registry.clone(), refresher.clone());
                connections.spawn(async move {
                    let _place = place;
                    answer_one(stream, registry, refresher).await;
                });
            }
            Some(Err(error)) => {
                warn!(%error, "can't accept a scrape");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None => return,
        }
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it; `None` when there never will be.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<io::Result<(TcpStream, Place)>> {
    let place = places.clone().acquire_owned().await.ok()?;
    Some(listener.accept().await.map(|(stream, _)| (stream, place)))
}

async fn answer_one(stream: TcpStream, registry: Arc<Registry>, refresher: Arc<Refresher>) {
    let service = service_fn(|request| {
        let response = answer(&request, &registry, &refresher);
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    match timeout(EXCHANGE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a scrape's connection ended badly"),
        Err(_) => debug!("a scrape took too long"),
    }
}

fn answer(request: &Request<Incoming>, registry: &Registry, refresher: &Refresher) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return text(StatusCode::NOT_FOUND, "not found: metrics are at /metrics\n".into());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".into());
        response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let families = refresher.collect(|| registry.gather());
    match TextEncoder::new().encode_to_string(&families) {
        Ok(body) => {
            let mut response = text(StatusCode::OK, body);
            response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(TEXT_FORMAT));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
