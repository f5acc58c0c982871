//! Serves Prometheus text at `/metrics`.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, Request, Response, StatusCode};
use ::prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use hyper::body::Incoming;
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::error::OTelSdkError;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::refresher::Refresher;
use crate::http::{self, Body, not_metrics, text};

/// A reader of the instruments, and the registry with what it has read. Names and labels stay as they were registered.
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

/// Serves scrapes until the sender of `stop` is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    registry: Registry,
    refresher: Arc<Refresher>,
    stop: watch::Receiver<()>,
) {
    http::serve("prometheus", listener, move |request| answer(request, &registry, &refresher), stop).await;
}

fn answer(request: &Request<Incoming>, registry: &Registry, refresher: &Refresher) -> Response<Body> {
    if let Some(refusal) = not_metrics(request) {
        return refusal;
    }
    let families = refresher.collect(|| registry.gather());
    match TextEncoder::new().encode_to_string(&families) {
        Ok(body) => {
            let mut response = text(StatusCode::OK, body);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT_FORMAT));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
