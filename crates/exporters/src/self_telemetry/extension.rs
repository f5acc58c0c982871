//! The process's own metrics as an extension: they show the books of the host.

use futures::FutureExt;
use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::component::{Extension, ExtensionError, Host};
use otel_tcpretrans_pipeline::telemetry::Observed;
use tokio::time::Instant;

use super::lifecycle::{RunningTelemetry, SelfTelemetry};

/// Shows the host's books, and the process's own numbers, for as long as the process serves.
pub struct TelemetryExtension {
    /// Prefix of the metrics that the Collector does not have.
    namespace: &'static str,
    /// Set until it is started.
    prepared: Option<SelfTelemetry>,
    /// Set while it runs.
    running: Option<RunningTelemetry>,
}

impl TelemetryExtension {
    /// An extension that is not started. `namespace` is the prefix of the metrics that the Collector does not have.
    pub fn new(prepared: SelfTelemetry, namespace: &'static str) -> Self {
        TelemetryExtension { namespace, prepared: Some(prepared), running: None }
    }
}

impl Extension for TelemetryExtension {
    fn start<'s>(&'s mut self, host: &'s Host) -> BoxFuture<'s, Result<(), ExtensionError>> {
        async move {
            if let Some(prepared) = self.prepared.take() {
                host.reloads.register(prepared.meter(), self.namespace);
                host.clusters.register(prepared.meter(), self.namespace);
                let observed = Observed::register(prepared.meter(), self.namespace, &host.books);
                self.running = Some(prepared.start(move || observed.refresh()).await?);
            }
            Ok(())
        }
        .boxed()
    }

    fn stop(&mut self, deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            if let Some(running) = self.running.take() {
                running.shutdown(deadline).await;
            }
        }
        .boxed()
    }
}
