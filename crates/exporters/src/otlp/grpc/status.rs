//! Judges a gRPC status: whether another attempt may help, and what the user is told.

use std::error::Error;

use http::{Response, StatusCode};
use otel_tcpretrans_pipeline::delivery::SendError;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::otlp::explain::{chain, cut};

/// Decides by the OTLP specification ("Failures" of OTLP/gRPC) whether a request with this status may be sent again,
/// and when. `endpoint` is named in the message.
pub(super) fn judge(endpoint: &str, status: &Status) -> SendError {
    let retry_info = status.get_details_retry_info();
    let retryable = match status.code() {
        _ if answer_too_large(status) => false,
        // tonic itself made a status that has a source: the connection failed, whatever the code is.
        _ if status.source().is_some() => true,
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // Without `RetryInfo` the exhausted resource may be a quota, which does not come back soon.
        Code::ResourceExhausted => retry_info.is_some(),
        _ => false,
    };
    let message = cut(format!("{endpoint}: {:?}: {}", status.code(), chain(status)));
    match retryable {
        true => SendError::Retryable { message, after: retry_info.and_then(|info| info.retry_delay) },
        false => SendError::Permanent { message },
    }
}

/// Replaces the page of a proxy that answered in place of the backend. The gRPC status for the page's HTTP status takes
/// its place (gRPC's http-grpc-status-mapping.md). Otherwise tonic would read the page as a message, and report only
/// that it can't read it.
pub(super) fn from_proxy(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if status == StatusCode::OK || response.headers().contains_key("grpc-status") {
        return response;
    }
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("HTTP {status} without a gRPC status")).into_http()
}

/// Whether tonic refused to read the answer because it is too large. The backend has taken the request then, and must
/// not get it again. tonic's code for that, `OutOfRange` or `ResourceExhausted`, can also be sent by a backend, so that
/// only the text tells them apart (tonic 0.14.9, src/codec/decode.rs; tests/it/oversized.rs makes tonic produce each of
/// them).
fn answer_too_large(status: &Status) -> bool {
    const PLAIN: &str = "Error, decoded message length too large";
    const COMPRESSED: &str = "Error decompressing: size limit";
    [PLAIN, COMPRESSED].iter().any(|text| status.message().starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tonic_types::ErrorDetails;

    fn is_retryable(status: &Status) -> bool {
        matches!(judge("http://b:4317", status), SendError::Retryable { .. })
    }

    #[test]
    fn follows_the_specifications_list() {
        let retryable: Vec<Code> =
            (0..=16).map(Code::from_i32).filter(|code| is_retryable(&Status::new(*code, "no"))).collect();
        assert_eq!(
            retryable,
            [
                Code::Cancelled,
                Code::DeadlineExceeded,
                Code::Aborted,
                Code::OutOfRange,
                Code::Unavailable,
                Code::DataLoss
            ]
        );
    }

    #[test]
    fn retry_info_makes_exhaustion_retryable_and_is_honoured() {
        let wait = Duration::from_millis(1500);
        let details = || ErrorDetails::with_retry_info(Some(wait));
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            match judge("e", &Status::with_error_details(code, "full", details())) {
                SendError::Retryable { after, .. } => assert_eq!(after, Some(wait)),
                other => panic!("{other:?}"),
            }
        }
        let refused = Status::with_error_details(Code::InvalidArgument, "bad", details());
        assert!(!is_retryable(&refused), "RetryInfo makes no other code retryable");
    }

    #[test]
    fn a_failed_connection_is_retryable_and_named_with_its_cause() {
        let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by peer");
        let mut status = Status::unknown("transport error");
        status.set_source(std::sync::Arc::new(broken));
        assert_eq!(
            judge("http://b:4317", &status),
            SendError::Retryable {
                message: "http://b:4317: Unknown: transport error: reset by peer".into(),
                after: None
            }
        );
    }

    #[test]
    fn long_explanations_are_cut() {
        let SendError::Permanent { message } = judge("e", &Status::internal("ä".repeat(2000))) else {
            panic!("internal errors are permanent")
        };
        assert!(message.len() < 1030 && message.ends_with('…'), "{} bytes", message.len());
    }
}
