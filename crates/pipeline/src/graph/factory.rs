//! The factory: makes components out of their configurations.

use std::sync::Arc;

use crate::books::Signal;
use crate::component::{AnyReceiver, Exporter, ExporterError, Host, ReceiverError};

/// Makes the components that a plan names. The binary implements it, since it alone knows all types of components.
pub trait Factory: Send {
    /// Configuration of a receiver of any type.
    type Receiver: Clone + PartialEq + Send + Sync;
    /// Configuration of an exporter of any type.
    type Exporter: Clone + PartialEq + Send + Sync;

    /// Makes a receiver. It is not started, and touches nothing.
    ///
    /// # Errors
    /// Says why there can't be one.
    fn receiver(&self, id: &str, config: &Self::Receiver) -> Result<AnyReceiver, ReceiverError>;

    /// Starts an exporter for one signal. It is called on the tokio runtime.
    ///
    /// # Errors
    /// Says why the exporter can't run. A backend that is not there is no such reason.
    fn exporter(
        &self,
        id: &str,
        signal: Signal,
        config: &Self::Exporter,
        host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError>;
}
