//! The traits that receivers, processors, exporters and extensions implement, and what the host gives to them.

mod confinement;
mod exporter;
mod extension;
mod host;
mod processor;
mod receiver;
mod starter;
mod types;
mod worker;

pub use confinement::{Confinement, Keeps};
pub use exporter::{Batch, Exporter, ExporterError};
pub use extension::{Extension, ExtensionError};
pub use host::Host;
pub use processor::FlowProcessor;
pub use receiver::{AnyReceiver, Produces, Receiver, ReceiverError};
pub use starter::Starter;
pub use types::{ComponentType, Stability};
pub use worker::Worker;
