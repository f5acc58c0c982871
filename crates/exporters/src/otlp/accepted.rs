//! What a backend says of a request that it took.

use bytes::Buf;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::delivery::Accepted;
use prost::{DecodeError, Message};

use super::explain::cut;

/// Decodes an `ExportLogsServiceResponse` or an `ExportMetricsServiceResponse`.
///
/// # Errors
/// It is none.
pub(super) fn decode(signal: Signal, answer: impl Buf) -> Result<Accepted, DecodeError> {
    Ok(match signal {
        Signal::Logs => {
            let partial = ExportLogsServiceResponse::decode(answer)?.partial_success.unwrap_or_default();
            accepted(partial.rejected_log_records, partial.error_message)
        }
        Signal::Metrics => {
            let partial = ExportMetricsServiceResponse::decode(answer)?.partial_success.unwrap_or_default();
            accepted(partial.rejected_data_points, partial.error_message)
        }
    })
}

/// The parts of a partial success. A number below 0 counts as 0.
pub(super) fn accepted(rejected: i64, message: String) -> Accepted {
    Accepted { rejected: rejected.try_into().unwrap_or_default(), message: cut(message) }
}
