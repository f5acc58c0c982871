//! Answers of more than 4 MiB are not read, and their requests are not sent again. Each test makes tonic itself say
//! that an answer is too large: `status.rs` recognises it by tonic's text alone, so that an update of tonic with
//! another text fails here.

use std::io::Write;

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use otel_tcpretrans_pipeline::delivery::{SendError, Transport};
use prost::Message;
use tonic::Code;

use crate::outages::{request, transport};
use crate::raw::{self, Reply};

/// An answer with a message of 5 MiB for the user.
fn answer() -> Vec<u8> {
    let partial = ExportLogsPartialSuccess { rejected_log_records: 0, error_message: "x".repeat(5 << 20) };
    ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
}

/// The message of the error, which is permanent, for an answer with `message`.
async fn refusal(encoding: Option<&'static str>, message: Vec<u8>) -> String {
    let (url, mut calls) = raw::serve([Reply { code: Code::Ok, encoding, message: message.into() }]).await;
    let error = transport(&url, "20s").send(&request()).await.expect_err("too large");
    assert!(calls.try_recv().is_ok(), "the request arrived");
    match error {
        SendError::Permanent { message } => message,
        SendError::Retryable { message, .. } => panic!("it would be sent again: {message}"),
    }
}

#[tokio::test]
async fn uncompressed() {
    let message = refusal(None, answer()).await;
    assert!(message.contains("OutOfRange: Error, decoded message length too large"), "{message}");
}

#[tokio::test]
async fn compressed_by_gzip() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&answer()).unwrap();
    let message = refusal(Some("gzip"), gzip.finish().unwrap()).await;
    assert!(message.contains("ResourceExhausted: Error decompressing: size limit"), "{message}");
}

#[tokio::test]
async fn compressed_by_zstd() {
    let message = refusal(Some("zstd"), zstd::encode_all(&answer()[..], 3).unwrap()).await;
    assert!(message.contains("ResourceExhausted: Error decompressing: size limit"), "{message}");
}
