//! Encodes records as `ExportLogsServiceRequest`.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use otel_tcpretrans_pipeline::delivery::Encoded;
use otel_tcpretrans_pipeline::record::Record;
use prost::encoding::message;

use super::frame::{ITEM, Requests};
use super::value::{any_value, key_value};
use crate::line::{RecordLine, is_warning};

/// Encodes records into `requests`. They were observed at `observed`, in ns since the Unix epoch.
pub(super) fn encode<'r>(
    records: impl Iterator<Item = &'r Record>,
    observed: u64,
    mut requests: Requests<'_>,
) -> Encoded {
    for record in records {
        let record = log_record(record, observed);
        let length = message::encoded_len(ITEM, &record);
        if !requests.fits(length) {
            requests.encoded.too_large += 1;
            continue;
        }
        if !requests.fits(requests.items.len() + length) {
            requests.close();
        }
        message::encode(ITEM, &record, &mut requests.items);
        requests.count += 1;
    }
    requests.close();
    requests.encoded
}

fn log_record(record: &Record, observed: u64) -> LogRecord {
    let (severity, severity_text) =
        if is_warning(record) { (SeverityNumber::Warn, "WARN") } else { (SeverityNumber::Info, "INFO") };
    LogRecord {
        time_unix_nano: record.time_unix_nano,
        observed_time_unix_nano: observed,
        severity_number: severity.into(),
        severity_text: severity_text.to_owned(),
        body: Some(any_value(Value::StringValue(RecordLine(record).to_string()))),
        attributes: record.attributes().map(|(name, value)| key_value(name, value)).collect(),
        event_name: record.event_name().to_owned(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Envelope;
    use super::*;
    use crate::fixtures;
    use crate::resource::{Instance, Resource, UserAttributes};
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
    use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
    use otel_tcpretrans_pipeline::delivery::Compression;
    use prost::Message;

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
            log_records: records.iter().map(|record| log_record(record, OBSERVED)).collect(),
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
        let envelope = Envelope::new(&resource());
        encode(records.iter(), OBSERVED, Requests::new(&envelope, limit, Compression::None))
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
        let decoded: Vec<_> = below
            .requests
            .iter()
            .flat_map(|r| ExportLogsServiceRequest::decode(r.body.clone()).expect("a request").resource_logs)
            .flat_map(|mut logs| logs.scope_logs.remove(0).log_records)
            .collect();
        assert_eq!(
            decoded,
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
        let record = log_record(&fixtures::record(1), OBSERVED);
        assert_eq!(record.event_name, "tcp.retransmit");
        assert_eq!(record.time_unix_nano, fixtures::START + 1_500_000);
        assert_eq!(record.observed_time_unix_nano, OBSERVED);
        assert_eq!((record.severity_number(), record.severity_text.as_str()), (SeverityNumber::Info, "INFO"));
        let value = |name: &str| {
            record
                .attributes
                .iter()
                .find(|a| a.key == name)
                .and_then(|a| a.value.clone())
                .and_then(|v| v.value)
        };
        assert_eq!(value("network.peer.address"), Some(Value::StringValue("10.0.0.2".into())));
        assert_eq!(value("network.peer.port"), Some(Value::IntValue(50_001)));
        assert_eq!(value("tcp.rtt"), Some(Value::DoubleValue(0.0125)));
        assert_eq!(value("tcp.flags"), Some(Value::StringValue("ACK|PSH".into())));
        assert_eq!(value("error.type"), None);
        let failed = log_record(&fixtures::failed_syn(), OBSERVED);
        assert_eq!((failed.severity_number(), failed.severity_text.as_str()), (SeverityNumber::Warn, "WARN"));
    }

    #[test]
    fn attributes_of_processors_follow_the_records_own() {
        let (own, record) =
            (log_record(&fixtures::record(1), OBSERVED), log_record(&fixtures::enriched(), OBSERVED));
        let found =
            record.attributes.strip_prefix(own.attributes.as_slice()).expect("the record's own first");
        let found: Vec<_> = found.iter().map(|found| (found.key.as_str(), found.value.clone())).collect();
        let service = any_value(Value::StringValue("shop".into()));
        let open = any_value(Value::BoolValue(true));
        assert_eq!(found, [("service.name", Some(service)), ("peer.port.open", Some(open))]);
    }

    #[test]
    fn a_gap_has_its_class_and_its_amounts_and_nothing_else() {
        let gap = log_record(&fixtures::gap(), OBSERVED);
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
            "tcp.segments",
            "tcp.bytes",
        ];
        assert_eq!(attributes, expected);
        let unseen = log_record(&fixtures::unseen(), OBSERVED);
        assert_eq!(
            (unseen.event_name.as_str(), unseen.severity_number()),
            ("tcp.retransmit.gap", SeverityNumber::Warn)
        );
        assert!(unseen.attributes.iter().any(|attribute| attribute.key == "network.peer.address"));
    }
}
