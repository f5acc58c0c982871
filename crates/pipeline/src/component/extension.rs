//! Extensions: what serves the process beside its pipelines.

use std::error::Error;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::host::Host;

/// Runs beside the pipelines: it is started before them and stopped after them.
pub trait Extension: Send {
    /// Starts the extension and returns when it is ready.
    ///
    /// # Errors
    /// Says what failed. Nothing of the extension is running then.
    fn start<'s>(&'s mut self, host: &'s Host) -> BoxFuture<'s, Result<(), ExtensionError>>;

    /// Stops the extension. What is not done at `deadline` is given up. Does nothing when it is not running.
    fn stop(&mut self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// Why an extension did not start, in the words of its own crate.
pub type ExtensionError = Box<dyn Error + Send + Sync>;
