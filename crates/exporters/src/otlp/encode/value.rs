//! Converts attributes and their values to OTLP.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use otel_tcpretrans_pipeline::attribute;

pub(super) fn key_value(name: &str, value: attribute::Value<'_>) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(any_value(otlp(value))), ..Default::default() }
}

pub(super) fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn otlp(value: attribute::Value<'_>) -> Value {
    match value {
        attribute::Value::Int(number) => Value::IntValue(number),
        attribute::Value::Seconds(time) => Value::DoubleValue(time.as_secs_f64()),
        attribute::Value::Bool(truth) => Value::BoolValue(truth),
        text => Value::StringValue(text.to_string()),
    }
}
