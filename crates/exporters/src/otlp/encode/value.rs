//! Attributes and their values -> OTLP.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use otel_tcpretrans_pipeline::attribute::{Attribute, AttributeValue};

pub(super) fn key_value(attribute: Attribute, value: &AttributeValue) -> KeyValue {
    KeyValue { key: attribute.name().to_owned(), value: Some(any_value(otlp(value))), ..Default::default() }
}

pub(super) fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn otlp(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Word(word) => Value::StringValue((*word).to_owned()),
        AttributeValue::Text(text) => Value::StringValue(text.clone()),
        AttributeValue::Address(address) => Value::StringValue(address.to_string()),
        AttributeValue::Int(number) => Value::IntValue(*number),
        AttributeValue::Seconds(time) => Value::DoubleValue(time.as_secs_f64()),
        AttributeValue::Bool(truth) => Value::BoolValue(*truth),
    }
}
