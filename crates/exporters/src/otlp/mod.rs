//! The `otlp` exporter: OTLP over gRPC.

mod config;
mod encode;
mod endpoint;
mod environment;
mod explain;
mod grpc;
mod level;
mod settings;
mod tls;
mod trust_all;

use std::sync::Arc;

use otel_tcpretrans_pipeline::books::{Books, Signal};
use otel_tcpretrans_pipeline::component::Exporter;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::QueuedExporter;

pub use config::Config;
pub use encode::{Encoder, Encoding, REQUEST_LIMIT};
pub use endpoint::Endpoint;
pub use grpc::GrpcTransport;
pub(crate) use grpc::{check_files, endpoint as grpc_endpoint, metadata};
pub use level::CompressionParams;
pub use otel_tcpretrans_pipeline::delivery::Compression;
pub use settings::Settings;
pub(crate) use settings::{Fields, resolve};
pub use tls::TlsConfig;

use crate::Environment;
use crate::resource::Resource;

/// A queue has room for at least this many requests. A request that fills most of its queue would leave no room for the
/// next one while it is in flight. A small queue would then drop data even if the backend keeps up.
const REQUESTS_PER_QUEUE: u64 = 4;

/// Starts an `otlp` exporter for one signal on the current tokio runtime, and adds its queue to the books.
///
/// It connects when it first has something to send. A backend that can't be reached is no error: requests are retried.
///
/// # Errors
/// What [`Config::validate`] finds.
pub fn start(
    id: &str,
    signal: Signal,
    config: &Config,
    environment: &Environment<'_>,
    resource: &Resource,
    books: &Books,
) -> Result<Arc<dyn Exporter>, StartError> {
    let failed = |problems| StartError { id: id.to_owned(), problems };
    let settings = config.resolve(signal, environment).map_err(failed)?;
    let transport = GrpcTransport::connect_lazy(signal, &settings).map_err(failed)?;
    let queue = &config.sending_queue;
    let share = if queue.enabled { queue.queue_size.bytes() / REQUESTS_PER_QUEUE } else { u64::MAX };
    let limit = usize::try_from(share).map_or(REQUEST_LIMIT, |share| share.min(REQUEST_LIMIT));
    let encoding = Encoding {
        limit,
        compression: settings.compression,
        level: settings.level,
        temporality: config.temporality,
        body: config.body.unwrap_or(true),
    };
    Ok(QueuedExporter::start(
        id.to_owned(),
        signal,
        Encoder::new(resource, &encoding),
        transport,
        queue.clone(),
        config.retry_on_failure.clone(),
        books,
    ))
}

/// Why an `otlp` exporter did not start: problems of its configuration, of the environment, or of the files that these
/// name.
#[derive(Debug, thiserror::Error)]
#[error("exporters.{id}: {}", Problem::join(.problems))]
pub struct StartError {
    id: String,
    problems: Vec<Problem>,
}
