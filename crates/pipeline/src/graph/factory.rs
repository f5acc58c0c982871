//! The trait of factories, which make components out of their configurations.

use std::sync::Arc;

use crate::books::Signal;
use crate::component::{AnyReceiver, Exporter, ExporterError, Host, ReceiverError};

/// Makes the components that a plan names. The binary implements it, since only the binary knows all types of
/// components.
pub trait Factory: Send {
    /// Configuration of a receiver of any type.
    type Receiver: Clone + PartialEq + Send + Sync;
    /// Configuration of an exporter of any type.
    type Exporter: Clone + PartialEq + Send + Sync;

    /// Makes a receiver. It is not started yet, and has acquired nothing.
    ///
    /// # Errors
    /// The error says why the receiver can't be made.
    fn receiver(&self, id: &str, config: &Self::Receiver) -> Result<AnyReceiver, ReceiverError>;

    /// Starts an exporter for one signal. It is called on the tokio runtime.
    ///
    /// # Errors
    /// The error says why the exporter can't run. A backend that can't be reached is not an error here.
    fn exporter(
        &self,
        id: &str,
        signal: Signal,
        config: &Self::Exporter,
        host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError>;
}
