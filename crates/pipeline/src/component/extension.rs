//! The trait of extensions, which serve the process and are not part of a pipeline.

use std::error::Error;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::host::Host;

/// Runs beside the pipelines: it is started before them and stopped after them.
pub trait Extension: Send {
    /// Starts the extension and returns when it is ready.
    ///
    /// # Errors
    /// The error says what failed. Nothing of the extension runs then.
    fn start<'s>(&'s mut self, host: &'s Host) -> BoxFuture<'s, Result<(), ExtensionError>>;

    /// Stops the extension. Work that is not done by `deadline` is given up. Does nothing when it is not running.
    fn stop(&mut self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// Why an extension did not start. The type of the error belongs to the crate of the extension.
pub type ExtensionError = Box<dyn Error + Send + Sync>;
