//! A request as JSON ("JSON Protobuf Encoding" of the OTLP specification).
//!
//! It is translated from protobuf by the types of the crate opentelemetry-proto, which know the mapping: numbers of 64 bits
//! become texts, for example. That costs several times what protobuf costs. JSON is for backends that take nothing else.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use serde::Serialize;

/// Translates a whole request.
pub(super) type Translate = fn(&[u8]) -> Vec<u8>;

/// The JSON of an encoded `ExportLogsServiceRequest`.
pub(super) fn logs(request: &[u8]) -> Vec<u8> {
    of::<ExportLogsServiceRequest>(request)
}

/// The JSON of an encoded `ExportMetricsServiceRequest`.
pub(super) fn metrics(request: &[u8]) -> Vec<u8> {
    of::<ExportMetricsServiceRequest>(request)
}

fn of<M: Message + Default + Serialize>(request: &[u8]) -> Vec<u8> {
    // Neither can fail: the bytes are our own encoder's, which the tests compare with prost's, and the types have no map
    // with keys that are no texts.
    #[allow(clippy::expect_used)]
    let message = M::decode(request).expect("what the encoder has made");
    #[allow(clippy::expect_used)]
    serde_json::to_vec(&message).expect("a message without maps")
}
