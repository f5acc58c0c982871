//! The `file` exporter: OTLP requests in a file, as the Collector's fileexporter writes them.

mod backups;
mod config;
mod files;
mod frames;
mod outage;
mod sink;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::blocking;
use otel_tcpretrans_pipeline::books::{DropReason, Ledger};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use otel_tcpretrans_pipeline::delivery::{Compression, Encode, Request};
use otel_tcpretrans_pipeline::metric::Temporality;
use otel_tcpretrans_pipeline::status::{Reported, Status, StatusReporter};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

pub use config::{Config, FileCompression, Rotation};
pub use files::Files;
use outage::Outage;
use sink::Sink;

use crate::otlp::{Encoder, Encoding, REQUEST_LIMIT};
use crate::resource::Resource;

/// A `file` exporter. It has no queue: a batch is delivered when it is written.
pub struct FileExporter(Arc<Writer>);

struct Writer {
    id: String,
    encoder: Encoder,
    sink: Arc<Mutex<Sink>>,
    outage: Outage,
    status: StatusReporter,
}

impl FileExporter {
    /// Opens the file, which exporters of both signals share through `files`. What a crash has left of a request at the
    /// end of the file is removed.
    ///
    /// # Errors
    /// The file can't be opened or is written by another process, or another exporter writes it in another way.
    pub fn open(id: &str, config: &Config, resource: &Resource, files: &Files) -> Result<Self, OpenError> {
        let failed =
            |source| OpenError { id: id.to_owned(), path: config.path.display().to_string(), source };
        let sink = files.open(id, config).map_err(failed)?;
        let encoding = Encoding {
            // A reader that reads lines limits their length, too.
            limit: REQUEST_LIMIT / 4,
            format: config.format,
            compression: match config.compression {
                FileCompression::None => Compression::None,
                FileCompression::Zstd => Compression::Zstd,
            },
            temporality: config.temporality,
            ..Encoding::default()
        };
        Ok(FileExporter(Arc::new(Writer {
            id: id.to_owned(),
            encoder: Encoder::new(resource, &encoding),
            sink,
            outage: Outage::default(),
            status: StatusReporter::default(),
        })))
    }
}

impl Writer {
    fn write(&self, batch: &Batch, ledger: &Ledger) {
        let encoded = self.encoder.encode(batch);
        if encoded.too_large > 0 {
            ledger.drop_items(encoded.too_large, DropReason::TooLarge);
        }
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        for Request { body, items, .. } in encoded.requests {
            match sink.append(&body) {
                Ok(()) => {
                    ledger.deliver(items, 0);
                    self.status.report(Status::Ok);
                    if self.outage.worked(std::time::Instant::now()) {
                        info!(exporter = self.id, "the file can be written again");
                    }
                }
                Err(error) => {
                    ledger.drop_items(items, DropReason::PermanentError);
                    self.status.report(Status::RecoverableError(format!("can't write the file: {error}")));
                    if self.outage.failed(std::time::Instant::now()) {
                        warn!(exporter = self.id, %error, "can't write the file; what can't be written is dropped");
                    }
                }
            }
        }
    }
}

impl Exporter for FileExporter {
    fn temporality(&self) -> Option<Temporality> {
        self.0.encoder.temporality()
    }

    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        let writer = Arc::clone(&self.0);
        writer.status.trying();
        Box::pin(blocking::write(batch, ledger, move |batch, ledger| writer.write(batch, ledger)))
    }

    fn status(&self) -> watch::Receiver<Reported> {
        self.0.status.watch()
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Why a `file` exporter did not start.
#[derive(Debug, thiserror::Error)]
#[error("exporters.{id}: {path}: {source}")]
pub struct OpenError {
    id: String,
    path: String,
    source: io::Error,
}
