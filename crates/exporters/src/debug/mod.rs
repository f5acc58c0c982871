//! The `debug` exporter: prints batches as text on the standard output.

mod config;
mod format;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::blocking;
use otel_tcpretrans_pipeline::books::{DropReason, Ledger};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use otel_tcpretrans_pipeline::say_once::SayOnce;
use otel_tcpretrans_pipeline::status::{Reported, Status, StatusReporter};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;

pub use config::{Config, Verbosity};

/// Where `debug` exporters write. Clones share it: each batch is written as a whole, so that the lines of two exporters
/// do not mix.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Box<dyn Write + Send>>>);

impl Output {
    /// An output that writes to `writer`.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Output(Arc::new(Mutex::new(Box::new(writer))))
    }

    /// The standard output.
    pub fn stdout() -> Self {
        Output::new(io::stdout())
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(text)?;
        writer.flush()
    }
}

/// A `debug` exporter. It has no queue: a batch is delivered when it is written.
pub struct DebugExporter(Arc<Writer>);

struct Writer {
    id: String,
    verbosity: Verbosity,
    output: Output,
    failing: SayOnce,
    status: StatusReporter,
}

impl DebugExporter {
    /// An exporter that writes to `output`.
    pub fn new(id: &str, config: &Config, output: Output) -> Self {
        DebugExporter(Arc::new(Writer {
            id: id.to_owned(),
            verbosity: config.verbosity,
            output,
            failing: SayOnce::default(),
            status: StatusReporter::default(),
        }))
    }
}

impl Writer {
    fn write(&self, batch: &Batch, ledger: &Ledger) {
        let items = batch.len() as u64;
        match self.output.write(&format::batch(batch, self.verbosity)) {
            Ok(()) => {
                ledger.deliver(items, 0);
                self.status.report(Status::Ok);
            }
            Err(error) => {
                self.status.report(Status::RecoverableError(format!("can't write: {error}")));
                ledger.drop_items(items, DropReason::PermanentError);
                if self.failing.begin() {
                    warn!(
                        exporter = self.id,
                        error = %error,
                        "can't write the debug output; items that can't be written are dropped; this is logged once"
                    );
                }
            }
        }
    }
}

impl Exporter for DebugExporter {
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
