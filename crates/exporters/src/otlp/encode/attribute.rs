//! Encodes attributes: `KeyValue` and `AnyValue` (opentelemetry/proto/common/v1/common.proto).

use otel_tcpretrans_pipeline::attribute::Value;
use otel_tcpretrans_pipeline::text;

use super::wire::{self, Field, SHORT};

/// Fields of `KeyValue`.
const KEY: Field = 1;
const VALUE: Field = 2;

/// Fields of `AnyValue`.
pub(super) const STRING_VALUE: Field = 1;
const BOOL_VALUE: Field = 2;
const INT_VALUE: Field = 3;
const DOUBLE_VALUE: Field = 4;

/// Length of a field's key and of its length, in bytes, if the field is short.
const HEAD: usize = 2;

/// A template is copied in parts of this many bytes. Such a copy is one instruction, where one whose size is known only
/// at run time is a call.
const PART: usize = 16;

/// An attribute without its value, encoded.
pub(super) struct Template {
    field: Field,
    name: &'static str,
    /// All that goes before the value: the field's key, its length, the attribute's key, and the value's key and length.
    /// The two lengths have one byte each, and are filled in with the value. Zeros fill up the last part.
    parts: Vec<[u8; PART]>,
    /// Length without these zeros.
    length: usize,
}

impl Template {
    /// The attribute `name`, to be written as the field `field`.
    pub(super) fn new(field: Field, name: &'static str) -> Self {
        let mut start = Vec::new();
        wire::nested(&mut start, field, SHORT, |out| {
            wire::string(out, KEY, name);
            wire::string(out, VALUE, "");
        });
        let length = start.len();
        start.resize(length.next_multiple_of(PART), 0);
        Template { field, name, parts: start.as_chunks().0.to_vec(), length }
    }

    /// Writes the attribute.
    pub(super) fn put(&self, out: &mut Vec<u8>, value: Value<'_>) {
        let start = out.len();
        for part in &self.parts {
            out.extend_from_slice(part);
        }
        let value_start = start + self.length;
        out.truncate(value_start);
        any_value(out, value);
        let (length, value_length) = (out.len() - start - HEAD, out.len() - value_start);
        if length > wire::SHORT_MAX {
            // One byte is too little for the length.
            out.truncate(start);
            return key_value(out, self.field, self.name, value);
        }
        out[start + HEAD - 1] = length as u8;
        out[value_start - 1] = value_length as u8;
    }
}

/// Writes an attribute as the field `field`.
pub(super) fn key_value(out: &mut Vec<u8>, field: Field, name: &str, value: Value<'_>) {
    wire::nested(out, field, SHORT, |out| {
        wire::string(out, KEY, name);
        wire::nested(out, VALUE, SHORT, |out| any_value(out, value));
    });
}

fn any_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Word(word) => wire::string(out, STRING_VALUE, word),
        Value::Text(text) => wire::string(out, STRING_VALUE, text),
        Value::Command(command) => wire::string(out, STRING_VALUE, command.as_str()),
        Value::Int(number) => wire::integer(out, INT_VALUE, number),
        Value::Bool(truth) => wire::integer(out, BOOL_VALUE, truth.into()),
        Value::Seconds(time) => wire::double(out, DOUBLE_VALUE, time.as_secs_f64()),
        Value::Address(address) => wire::nested(out, STRING_VALUE, SHORT, |out| text::address(out, address)),
        Value::Flags(flags) => wire::nested(out, STRING_VALUE, SHORT, |out| text::flags(out, flags)),
        Value::Errno(errno) => wire::nested(out, STRING_VALUE, SHORT, |out| text::errno(out, errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_writes_values_of_any_length() {
        const NAME: &str = "network.peer.address";
        let template = Template::new(6, NAME);
        for length in [0, 1, 90, 100, 101, 102, 103, 127, 128, 20_000] {
            let text = "x".repeat(length).into();
            let (mut out, mut expected) = (vec![1], vec![1]);
            template.put(&mut out, Value::Text(&text));
            key_value(&mut expected, 6, NAME, Value::Text(&text));
            assert!(out == expected, "{length}");
        }
    }
}
