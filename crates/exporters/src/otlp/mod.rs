//! The `otlp` exporter: OTLP over gRPC.

mod channel;
mod compression;
mod config;
mod encode;
mod endpoint;
mod environment;
mod settings;
mod status;
mod tls;
mod transport;
mod trust_all;

use std::sync::Arc;

use otel_tcpretrans_pipeline::books::{Books, Signal};
use otel_tcpretrans_pipeline::component::Exporter;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::QueuedExporter;

pub(crate) use channel::{check_files, endpoint as grpc_endpoint};
pub use compression::Compression;
pub use config::Config;
pub use encode::{Encoder, REQUEST_LIMIT};
pub use endpoint::Endpoint;
pub use settings::Settings;
pub(crate) use settings::{Fields, resolve};
pub use tls::TlsConfig;
pub use transport::GrpcTransport;
pub(crate) use transport::metadata;

use crate::Environment;
use crate::resource::Resource;

/// Starts an `otlp` exporter for one signal on the current tokio runtime, and adds its queue to the books.
///
/// It connects when it first has something to send: a backend that is not there is waited for, not an error.
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
    // A request larger than its whole queue would never get in.
    let room = if queue.enabled { queue.queue_size.bytes() } else { u64::MAX };
    let limit = usize::try_from(room).map_or(REQUEST_LIMIT, |room| room.min(REQUEST_LIMIT));
    Ok(QueuedExporter::start(
        id.to_owned(),
        signal,
        Encoder::new(resource, limit),
        transport,
        queue.clone(),
        config.retry_on_failure.clone(),
        books,
    ))
}

/// Why an `otlp` exporter did not start: its configuration, the environment or the files that these name.
#[derive(Debug, thiserror::Error)]
#[error("exporters.{id}: {}", Problem::join(.problems))]
pub struct StartError {
    id: String,
    problems: Vec<Problem>,
}
