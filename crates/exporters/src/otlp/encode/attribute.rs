//! Encodes attributes: `KeyValue` and `AnyValue` (opentelemetry/proto/common/v1/common.proto).

use otel_tcpretrans_pipeline::attribute::Value;

use super::wire::{self, Field, SHORT};
use crate::text;

/// Fields of `KeyValue`.
const KEY: Field = 1;
const VALUE: Field = 2;

/// Fields of `AnyValue`.
pub(super) const STRING_VALUE: Field = 1;
const BOOL_VALUE: Field = 2;
const INT_VALUE: Field = 3;
const DOUBLE_VALUE: Field = 4;

/// An attribute's name, encoded as the key of a `KeyValue`.
pub(super) struct EncodedKey(Vec<u8>);

impl EncodedKey {
    pub(super) fn new(name: &str) -> Self {
        let mut key = Vec::new();
        wire::string(&mut key, KEY, name);
        EncodedKey(key)
    }

    /// Writes the attribute with this name and `value` as the field `field`.
    pub(super) fn put(&self, out: &mut Vec<u8>, field: Field, value: Value<'_>) {
        wire::nested(out, field, SHORT, |out| {
            out.extend_from_slice(&self.0);
            wire::nested(out, VALUE, SHORT, |out| any_value(out, value));
        });
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
    let text =
        |out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>)| wire::nested(out, STRING_VALUE, SHORT, write);
    match value {
        Value::Word(word) => wire::string(out, STRING_VALUE, word),
        Value::Text(text) => wire::string(out, STRING_VALUE, text),
        Value::Int(number) => wire::integer(out, INT_VALUE, number),
        Value::Bool(truth) => wire::integer(out, BOOL_VALUE, truth.into()),
        Value::Seconds(time) => wire::double(out, DOUBLE_VALUE, time.as_secs_f64()),
        Value::Address(address) => text(out, &|out| text::address(out, address)),
        Value::Flags(flags) => text(out, &|out| text::flags(out, flags)),
        Value::Errno(errno) => text(out, &|out| text::errno(out, errno)),
    }
}
