//! What goes over the wire: compressed as configured, and the same bytes at each attempt.

use std::io::Read;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use otel_tcpretrans_pipeline::books::Signal;
use prost::Message;
use tokio::time::timeout;
use tonic::Code;

use crate::delivery::exporter;
use crate::raw::{self, Call, Reply};
use crate::{PATIENCE, drain, export, ledger, logs};

fn decompressed(encoding: Option<&str>, message: &[u8]) -> Vec<u8> {
    match encoding {
        None => message.to_vec(),
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(message).read_to_end(&mut plain).expect("gzip");
            plain
        }
        Some("zstd") => zstd::decode_all(message).expect("zstd"),
        Some(other) => panic!("{other}"),
    }
}

/// Each record has the time when it was encoded, in ns. So two requests with the same bytes were encoded once.
#[tokio::test]
async fn a_request_is_compressed_once_and_each_attempt_sends_the_same_bytes() {
    for (configured, encoding) in [("none", None), ("gzip", Some("gzip")), ("zstd", Some("zstd"))] {
        let (url, mut calls) = raw::serve([Reply::code(Code::Unavailable), Reply::code(Code::Ok)]).await;
        let exporter = exporter(&url, Signal::Logs, &format!("compression: {configured}"));
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(100), &ledger).await;
        let mut next = async || timeout(PATIENCE, calls.recv()).await.expect("a call").expect("a call");
        let (first, second): (Call, Call) = (next().await, next().await);
        drain(&*exporter, &ledger).await;
        assert_eq!(ledger.counts().delivered, 100, "{configured}");

        assert_eq!(first.body, second.body, "{configured}");
        for call in [&first, &second] {
            let sent = call.headers.get("grpc-encoding").map(|name| name.to_str().unwrap());
            assert_eq!(sent, encoding, "{configured}");
        }
        let (prefix, message) = first.body.split_at(5);
        assert_eq!(prefix[0], u8::from(encoding.is_some()), "{configured}: the flag");
        assert_eq!(prefix[1..], u32::try_from(message.len()).unwrap().to_be_bytes(), "{configured}");
        let plain = decompressed(encoding, message);
        assert_eq!(message.len() < plain.len() / 2, encoding.is_some(), "{configured}");
        let mut request = ExportLogsServiceRequest::decode(&plain[..]).expect("a request");
        assert_eq!(request.resource_logs.remove(0).scope_logs.remove(0).log_records.len(), 100);
    }
}

/// What an exporter with this configuration sends of 100 records: the message as it is sent, and decompressed.
async fn sent(configured: &str) -> (Vec<u8>, Vec<u8>) {
    let (url, mut calls) = raw::serve([Reply::code(Code::Ok)]).await;
    let exporter = exporter(&url, Signal::Logs, configured);
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(100), &ledger).await;
    let call = timeout(PATIENCE, calls.recv()).await.expect("a call").expect("a call");
    drain(&*exporter, &ledger).await;
    let encoding = call.headers.get("grpc-encoding").map(|name| name.to_str().unwrap());
    let message = call.body[5..].to_vec();
    let plain = decompressed(encoding, &message);
    (message, plain)
}

#[tokio::test]
async fn the_configured_level_compresses() {
    let size = async |level: &str| sent(&format!("compression: gzip{level}")).await.0.len();
    let default = size("").await;
    let [first, last] =
        [size(", compression_params: { level: 1 }").await, size(", compression_params: { level: 9 }").await];
    // The times of the records differ, and so do a few bytes.
    assert!(default.abs_diff(first) < 100, "{default} and {first} bytes");
    assert!(last + 100 < first, "{last} and {first} bytes");
}

#[tokio::test]
async fn without_a_body_a_record_has_everything_else() {
    let records = |plain: &[u8]| {
        let mut request = ExportLogsServiceRequest::decode(plain).expect("a request");
        request.resource_logs.remove(0).scope_logs.remove(0).log_records
    };
    let with = records(&sent("compression: none").await.1);
    let without = records(&sent("compression: none, body: false").await.1);
    assert_eq!((with.len(), without.len()), (100, 100));
    for (mut with, without) in with.into_iter().zip(without) {
        assert!(with.body.take().is_some());
        with.observed_time_unix_nano = without.observed_time_unix_nano;
        assert_eq!(with, without);
    }
}
