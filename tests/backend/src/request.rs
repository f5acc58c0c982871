//! Reads requests: the frame of gRPC, compression, protobuf or JSON.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::request::Parts;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

/// What a backend must know of a request.
pub(crate) struct Received {
    pub(crate) is_grpc: bool,
    /// Of HTTP: whether it is JSON.
    pub(crate) is_json: bool,
    pub(crate) is_logs: bool,
    /// The ids of its log records.
    pub(crate) ids: Vec<i64>,
}

impl Received {
    pub(crate) fn new(head: &Parts, body: &Bytes) -> Received {
        let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let is_grpc = header("content-type").starts_with("application/grpc");
        let is_json = header("content-type") == "application/json";
        let path = head.uri.path().to_ascii_lowercase();
        let is_logs = path.contains("logs");
        let plain = if is_grpc {
            let (flag, message) = (body[0], &body[5..]);
            if flag == 0 { message.to_vec() } else { plain(header("grpc-encoding"), message) }
        } else {
            plain(header("content-encoding"), body)
        };
        let ids = if is_logs { ids(&plain, is_json) } else { Vec::new() };
        Received { is_grpc, is_json, is_logs, ids }
    }
}

fn plain(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "" | "identity" => body.to_vec(),
        "gzip" => {
            let mut plain = Vec::new();
            GzDecoder::new(body).read_to_end(&mut plain).expect("gzip");
            plain
        }
        "zstd" => zstd::decode_all(body).expect("zstd"),
        other => panic!("{other:?}"),
    }
}

fn ids(plain: &[u8], is_json: bool) -> Vec<i64> {
    let request: ExportLogsServiceRequest = match is_json {
        true => serde_json::from_slice(plain).expect("OTLP/JSON"),
        false => ExportLogsServiceRequest::decode(plain).expect("OTLP"),
    };
    let records = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
    let records = records.flat_map(|scope| scope.log_records);
    let id = |record: opentelemetry_proto::tonic::logs::v1::LogRecord| {
        let found = record.attributes.into_iter().find(|attribute| attribute.key == "tcp.seq")?;
        match found.value?.value? {
            Value::IntValue(id) => Some(id),
            _ => None,
        }
    };
    records.map(|record| id(record).expect("tcp.seq")).collect()
}
