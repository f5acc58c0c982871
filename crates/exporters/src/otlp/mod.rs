//! The exporters `otlp` and `otlp_http`: OTLP over gRPC and over HTTP.

mod accepted;
mod client;
mod config;
mod encode;
mod endpoint;
mod environment;
mod explain;
mod grpc;
mod http;
mod level;
mod protocol;
mod settings;
mod tls;
mod trust_all;

use std::sync::Arc;

use otel_tcpretrans_pipeline::books::{Books, Signal};
use otel_tcpretrans_pipeline::component::Exporter;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::{QueuedExporter, Sending};
use otel_tcpretrans_pipeline::storage::{OpenError, Storage};

pub use config::Config;
pub use encode::{Encoder, Encoding, REQUEST_LIMIT};
pub use endpoint::Endpoint;
pub use grpc::GrpcTransport;
pub(crate) use grpc::{check_files, endpoint as grpc_endpoint, metadata};
pub use http::HttpTransport;
pub use level::CompressionParams;
pub use otel_tcpretrans_pipeline::delivery::Compression;
pub use protocol::{Format, Kind, Protocol};
pub use settings::Settings;
pub(crate) use settings::{Fields, HttpFields, resolve};
pub use tls::TlsConfig;

use crate::Environment;
use crate::resource::Resource;

/// A queue has room for at least this many requests. A request that fills most of its queue would leave no room for the
/// next one while it is in flight. A small queue would then drop data even if the backend keeps up.
const REQUESTS_PER_QUEUE: u64 = 4;

/// JSON takes about three times the bytes of protobuf. The limit of a request is about protobuf.
const JSON_FACTOR: usize = 4;

/// Starts an exporter for one signal on the current tokio runtime, and adds its queue to the books.
///
/// It connects when it first has something to send. A backend that can't be reached is no error: requests are retried.
/// `storage` is where its queue is, if that is on disk.
///
/// # Errors
/// What [`Config::validate`] finds, or the queue on disk can't be used.
#[allow(clippy::too_many_arguments)] // their types differ, so they can't be mixed up
pub fn start(
    id: &str,
    kind: Kind,
    signal: Signal,
    config: &Config,
    environment: &Environment<'_>,
    resource: &Resource,
    storage: Option<Storage>,
    books: &Books,
) -> Result<Arc<dyn Exporter>, StartError> {
    let failed = |problems| StartError::Unfit { id: id.to_owned(), problems };
    let unusable = |source| StartError::Storage { id: id.to_owned(), source };
    let settings = config.resolve(kind, signal, environment).map_err(failed)?;
    let encoder = Encoder::new(resource, &encoding(config, &settings, storage.as_ref()));
    let sending =
        Sending { queue: config.sending_queue.clone(), retry: config.retry_on_failure.clone(), storage };
    Ok(match settings.protocol {
        Protocol::Grpc => {
            let transport = GrpcTransport::connect_lazy(signal, &settings).map_err(failed)?;
            QueuedExporter::start(id.to_owned(), signal, encoder, transport, sending, books)
                .map_err(unusable)?
        }
        Protocol::Http(_) => {
            let transport = HttpTransport::new(signal, &settings).map_err(failed)?;
            QueuedExporter::start(id.to_owned(), signal, encoder, transport, sending, books)
                .map_err(unusable)?
        }
    })
}

fn encoding(config: &Config, settings: &Settings, storage: Option<&Storage>) -> Encoding {
    let format = match settings.protocol {
        Protocol::Grpc => Format::Proto,
        Protocol::Http(format) => format,
    };
    let queue = &config.sending_queue;
    let size = match storage {
        _ if !queue.enabled => u64::MAX,
        Some(storage) => storage.capacity(queue),
        None => queue.size_in_memory().bytes(),
    };
    let share = size / REQUESTS_PER_QUEUE;
    let limit = usize::try_from(share).map_or(REQUEST_LIMIT, |share| share.min(REQUEST_LIMIT));
    Encoding {
        limit: if format == Format::Json { limit / JSON_FACTOR } else { limit },
        format,
        compression: settings.compression,
        level: settings.level,
        temporality: config.temporality,
        body: config.body.unwrap_or(true),
    }
}

/// Why an exporter did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Problems of its configuration, of the environment, or of the files that these name.
    #[error("exporters.{id}: {}", Problem::join(.problems))]
    Unfit {
        /// The exporter.
        id: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// Its queue on disk can't be used.
    #[error("exporters.{id}: sending_queue.storage: {source}")]
    Storage {
        /// The exporter.
        id: String,
        /// What is wrong.
        source: OpenError,
    },
}
