//! Reads requests: the frame of gRPC, compression, protobuf or JSON.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::request::Parts;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message;

/// What a backend must know of a request.
pub(crate) struct Received {
    pub(crate) is_grpc: bool,
    /// Of HTTP: whether it is JSON.
    pub(crate) is_json: bool,
    pub(crate) is_logs: bool,
    /// The ids of its log records.
    pub(crate) ids: Vec<i64>,
    /// Its log records of other scopes than the pipelines', each with its resource, as OTLP/JSON.
    pub(crate) others: Vec<(serde_json::Value, serde_json::Value)>,
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
        let (ids, others) = if is_logs { records(&plain, is_json) } else { Default::default() };
        Received { is_grpc, is_json, is_logs, ids, others }
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

/// The scope of the pipelines' records.
const SCOPE: &str = "otel-tcpretrans";

/// The ids of the pipelines' records, and the records of other scopes with their resource.
fn records(plain: &[u8], is_json: bool) -> (Vec<i64>, Vec<(serde_json::Value, serde_json::Value)>) {
    let request: ExportLogsServiceRequest = match is_json {
        true => serde_json::from_slice(plain).expect("OTLP/JSON"),
        false => ExportLogsServiceRequest::decode(plain).expect("OTLP"),
    };
    let (mut ids, mut others) = (Vec::new(), Vec::new());
    for logs in request.resource_logs {
        let resource = serde_json::to_value(&logs.resource).expect("JSON");
        for scope in logs.scope_logs {
            let is_own = scope.scope.is_some_and(|scope| scope.name != SCOPE);
            for record in scope.log_records {
                match is_own {
                    true => others.push((resource.clone(), serde_json::to_value(&record).expect("JSON"))),
                    false => ids.push(id(record).expect("tcp.seq")),
                }
            }
        }
    }
    (ids, others)
}

fn id(record: LogRecord) -> Option<i64> {
    let found = record.attributes.into_iter().find(|attribute| attribute.key == "tcp.seq")?;
    match found.value?.value? {
        Value::IntValue(id) => Some(id),
        _ => None,
    }
}
