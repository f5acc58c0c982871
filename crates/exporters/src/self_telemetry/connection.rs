//! The connection of opentelemetry-otlp's exporters.

use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use otel_tcpretrans_pipeline::config::Problem;

use crate::otlp::{self, Compression, Settings};

/// Gives an exporter the connection of `settings`. It connects when there is something to send. Call it within a tokio
/// runtime.
///
/// # Errors
/// What is wrong with the settings, or with a file that they name.
pub(super) fn connected<B>(builder: B, settings: &Settings) -> Result<B, Vec<Problem>>
where
    B: WithTonicConfig + WithExportConfig,
{
    let endpoint = otlp::grpc_endpoint(settings)?;
    let metadata = otlp::metadata(settings)?;
    let builder = builder
        .with_channel(endpoint.connect_lazy())
        .with_timeout(settings.timeout)
        // opentelemetry-otlp adds the environment's headers. The settings have taken the environment into account
        // already, so their headers replace all others.
        .with_interceptor(move |mut request: tonic::Request<()>| {
            *request.metadata_mut() = metadata.clone();
            Ok(request)
        });
    Ok(match settings.compression {
        Compression::None => builder,
        Compression::Gzip => builder.with_compression(opentelemetry_otlp::Compression::Gzip),
        Compression::Zstd => builder.with_compression(opentelemetry_otlp::Compression::Zstd),
    })
}
