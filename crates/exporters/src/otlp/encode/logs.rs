//! Encodes records as `LogRecord` (opentelemetry/proto/logs/v1/logs.proto).

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use otel_tcpretrans_pipeline::attribute::Attribute;
use otel_tcpretrans_pipeline::record::Record;
use strum::IntoEnumIterator;

use super::attribute::{STRING_VALUE, Template, key_value};
use super::frame::ITEM;
use super::requests::Requests;
use super::wire::{self, Field, LONG};
use crate::line::{is_warning, record_line};

/// Fields of `LogRecord`.
const TIME_UNIX_NANO: Field = 1;
const SEVERITY_NUMBER: Field = 2;
const SEVERITY_TEXT: Field = 3;
const BODY: Field = 5;
const ATTRIBUTES: Field = 6;
const OBSERVED_TIME_UNIX_NANO: Field = 11;
const EVENT_NAME: Field = 12;

/// Encodes records. What is the same in many of them is encoded once, at the start.
pub(super) struct LogEncoder {
    /// Whether a record has a readable line as its body.
    body: bool,
    /// The records' own attributes, in their order.
    own: Vec<(Attribute, Template)>,
    info: Vec<u8>,
    warning: Vec<u8>,
}

impl LogEncoder {
    pub(super) fn new(body: bool) -> Self {
        LogEncoder {
            body,
            own: Attribute::iter().map(|own| (own, Template::new(ATTRIBUTES, own.name()))).collect(),
            info: severity(SeverityNumber::Info, "INFO"),
            warning: severity(SeverityNumber::Warn, "WARN"),
        }
    }

    /// Encodes records into `requests`. They were observed at `observed`, in ns since the Unix epoch.
    pub(super) fn encode<'r>(
        &self,
        records: impl IntoIterator<Item = &'r Record>,
        observed: u64,
        requests: &mut Requests<'_>,
    ) {
        for record in records {
            requests.push(|out| wire::nested(out, ITEM, LONG, |out| self.record(out, record, observed)));
        }
    }

    /// The fields are in the order of their numbers, as other encoders write them.
    fn record(&self, out: &mut Vec<u8>, record: &Record, observed: u64) {
        wire::fixed64(out, TIME_UNIX_NANO, record.time_unix_nano);
        out.extend_from_slice(if is_warning(record) { &self.warning } else { &self.info });
        if self.body {
            wire::nested(out, BODY, LONG, |out| {
                wire::nested(out, STRING_VALUE, LONG, |out| record_line(out, record));
            });
        }
        for (attribute, template) in &self.own {
            if let Some(value) = record.own(*attribute) {
                template.put(out, value);
            }
        }
        for bundle in [&record.local_attributes, &record.peer_attributes].into_iter().flatten() {
            for (name, value) in bundle.iter() {
                key_value(out, ATTRIBUTES, name, value);
            }
        }
        wire::fixed64(out, OBSERVED_TIME_UNIX_NANO, observed);
        wire::string(out, EVENT_NAME, record.event_name());
    }
}

fn severity(number: SeverityNumber, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    wire::integer(&mut out, SEVERITY_NUMBER, i32::from(number).into());
    wire::string(&mut out, SEVERITY_TEXT, text);
    out
}

#[cfg(test)]
mod tests;
