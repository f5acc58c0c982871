//! Log records are what prost encodes, and requests end at the limit.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded};
use proptest::prelude::*;
use prost::Message;

use super::super::body::Spare;
use super::super::compress::Compressor;
use super::super::frame::Envelope;
use super::*;
use crate::fixtures;
use crate::otlp::encode::requests::Last;
use crate::reference::{self, any_value};
use crate::resource::{Instance, Resource, UserAttributes};

const OBSERVED: u64 = fixtures::START + 200_000_000;

fn resource() -> Resource {
    let instance = Instance { instance_id: "i".into(), ..Instance::default() };
    Resource::new(&instance, &|_| None, &UserAttributes::new()).expect("a resource")
}

/// The whole request, as prost encodes it.
fn whole(records: &[Record]) -> ExportLogsServiceRequest {
    let scope = InstrumentationScope {
        name: "otel-tcpretrans".into(),
        version: crate::VERSION.into(),
        ..Default::default()
    };
    let scope_logs = ScopeLogs {
        scope: Some(scope),
        log_records: records.iter().map(|record| reference::log_record(record, OBSERVED, true)).collect(),
        ..Default::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource().to_otlp()),
            scope_logs: vec![scope_logs],
            ..Default::default()
        }],
    }
}

fn encoded(records: &[Record], limit: usize) -> Encoded {
    encoded_by(&LogEncoder::new(true), records, limit)
}

fn encoded_by(encoder: &LogEncoder, records: &[Record], limit: usize) -> Encoded {
    let (envelope, compressor) = (Envelope::new(&resource()), Compressor::new(Compression::None, 1));
    let spare = Spare::default();
    let mut requests = Requests::new(
        &envelope,
        Last { translate: None, compressor: &compressor },
        limit,
        records.len(),
        &spare,
    );
    encoder.encode(records, OBSERVED, &mut requests);
    requests.finish()
}

/// The log records of all requests.
fn log_records(encoded: &Encoded) -> Vec<LogRecord> {
    let requests = encoded.requests.iter().map(|request| {
        ExportLogsServiceRequest::decode(request.body.clone()).expect("a request").resource_logs
    });
    requests.flatten().flat_map(|mut logs| logs.scope_logs.remove(0).log_records).collect()
}

/// A record as it is sent.
fn log_record(record: &Record) -> LogRecord {
    log_records(&encoded(std::slice::from_ref(record), usize::MAX)).remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_records_are_what_prost_would_make_of_them(
        records in proptest::collection::vec(reference::records(), 1..4), body: bool,
    ) {
        let encoded = encoded_by(&LogEncoder::new(body), &records, usize::MAX);
        let expected = records.iter().map(|record| reference::log_record(record, OBSERVED, body));
        prop_assert_eq!(log_records(&encoded), expected.collect::<Vec<_>>());
    }
}

#[test]
fn is_what_prost_would_encode() {
    let records: Vec<_> = (0..100).map(fixtures::record).collect();
    let encoded = encoded(&records, usize::MAX);
    assert_eq!((encoded.requests.len(), encoded.too_large), (1, 0));
    assert_eq!(encoded.requests[0].items, 100);
    assert_eq!(encoded.requests[0].body, whole(&records).encode_to_vec());
}

#[test]
fn splits_exactly_at_the_limit() {
    let records: Vec<_> = (0..10).map(fixtures::record).collect();
    let five = whole(&records[..5]).encoded_len();
    let at = encoded(&records, five);
    assert_eq!(at.requests.iter().map(|r| r.items).collect::<Vec<_>>(), [5, 5]);
    assert!(at.requests.iter().all(|request| request.body.len() <= five));
    let below = encoded(&records, five - 1);
    assert_eq!(below.requests.iter().map(|r| r.items).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!((at.too_large, below.too_large), (0, 0));
    assert_eq!(
        log_records(&below),
        whole(&records).resource_logs[0].scope_logs[0].log_records,
        "in order, none lost"
    );
}

#[test]
fn a_record_that_is_larger_than_a_request_is_counted() {
    // A gap's record is smaller than a flow's, so that a limit can lie between the two.
    let records = [fixtures::failed_syn(), fixtures::gap(), fixtures::failed_syn()];
    let limit = whole(&records[1..2]).encoded_len();
    assert!(limit < whole(&records[..1]).encoded_len());
    let encoded = encoded(&records, limit);
    assert_eq!(encoded.too_large, 2);
    assert_eq!(encoded.requests.len(), 1);
    assert_eq!(encoded.requests[0].body, whole(&records[1..2]).encode_to_vec());
}

#[test]
fn no_records_make_no_request() {
    assert!(encoded(&[], 1000).requests.is_empty());
}

#[test]
fn a_record_has_all_that_is_known() {
    let record = log_record(&fixtures::record(1));
    assert_eq!(record.event_name, "tcp.retransmit");
    assert_eq!(record.time_unix_nano, fixtures::START + 1_500_000);
    assert_eq!(record.observed_time_unix_nano, OBSERVED);
    assert_eq!((record.severity_number(), record.severity_text.as_str()), (SeverityNumber::Info, "INFO"));
    let value = |name: &str| {
        record.attributes.iter().find(|a| a.key == name).and_then(|a| a.value.clone()).and_then(|v| v.value)
    };
    assert_eq!(value("network.peer.address"), Some(Value::StringValue("10.0.0.2".into())));
    assert_eq!(value("network.peer.port"), Some(Value::IntValue(50_001)));
    assert_eq!(value("tcp.rtt"), Some(Value::DoubleValue(0.0125)));
    assert_eq!(value("tcp.flags"), Some(Value::StringValue("ACK|PSH".into())));
    assert_eq!(value("error.type"), None);
    let failed = log_record(&fixtures::failed_syn());
    assert_eq!((failed.severity_number(), failed.severity_text.as_str()), (SeverityNumber::Warn, "WARN"));
}

#[test]
fn attributes_of_processors_follow_the_records_own() {
    let (own, record) = (log_record(&fixtures::record(1)), log_record(&fixtures::enriched()));
    let found = record.attributes.strip_prefix(own.attributes.as_slice()).expect("the record's own first");
    let found: Vec<_> = found.iter().map(|found| (found.key.as_str(), found.value.clone())).collect();
    let service = any_value(Value::StringValue("shop".into()));
    let open = any_value(Value::BoolValue(true));
    assert_eq!(found, [("service.name", Some(service)), ("peer.port.open", Some(open))]);
}

#[test]
fn a_gap_has_its_class_and_its_amounts_and_nothing_else() {
    let gap = log_record(&fixtures::gap());
    assert_eq!(gap.event_name, "tcp.retransmit.gap");
    assert_eq!(gap.time_unix_nano, fixtures::START + 2_500_000);
    assert_eq!((gap.severity_number(), gap.severity_text.as_str()), (SeverityNumber::Warn, "WARN"));
    let attributes: Vec<_> = gap.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    let expected = [
        "network.transport",
        "network.type",
        "network.tcp.retransmit.type",
        "tcp.slow_start",
        "tcp.events",
        "tcp.failures",
        "tcp.segments",
        "tcp.bytes",
    ];
    assert_eq!(attributes, expected);
    let unseen = log_record(&fixtures::unseen());
    assert_eq!(
        (unseen.event_name.as_str(), unseen.severity_number()),
        ("tcp.retransmit.gap", SeverityNumber::Warn)
    );
    assert!(unseen.attributes.iter().any(|attribute| attribute.key == "network.peer.address"));
}
