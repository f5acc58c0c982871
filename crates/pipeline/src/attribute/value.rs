//! Values of attributes, borrowed from a record or owned.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::error_type::ErrorType;
use crate::record::{Command, TcpFlags};

/// A value, borrowed from its record. To make it, to copy it or to turn it into an [`OwnedValue`] allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A word out of a fixed list.
    Word(&'static str),
    /// Any other text.
    Text(&'a Arc<str>),
    /// The name of a command; a string in OTLP.
    Command(&'a Command),
    /// An IP address; a string in OTLP.
    Address(IpAddr),
    /// A whole number.
    Int(i64),
    /// A span of time; seconds as a double in OTLP.
    Seconds(Duration),
    /// True or false.
    Bool(bool),
    /// TCP header flags; their names as a string in OTLP.
    Flags(TcpFlags),
    /// An errno, above zero; its name as a string in OTLP.
    Errno(i32),
}

impl<'a> Value<'a> {
    /// The text, if the value is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Value::Word(word) => Some(word),
            Value::Text(text) => Some(text),
            Value::Command(command) => Some(command.as_str()),
            _ => None,
        }
    }
}

/// The text that `debug` prints, and that OTLP carries for a value that is a string there.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Word(word) => f.write_str(word),
            Value::Text(text) => f.write_str(text),
            Value::Command(command) => command.fmt(f),
            Value::Address(address) => address.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Seconds(time) => write!(f, "{:.6}", time.as_secs_f64()),
            Value::Bool(truth) => truth.fmt(f),
            Value::Flags(flags) => flags.fmt(f),
            Value::Errno(errno) => ErrorType(errno).fmt(f),
        }
    }
}

/// A value that does not borrow from a record: a part of a series' key, or of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the variants are those of Value
pub enum OwnedValue {
    Word(&'static str),
    Text(Arc<str>),
    Command(Command),
    Address(IpAddr),
    Int(i64),
    Seconds(Duration),
    Bool(bool),
    Flags(TcpFlags),
    Errno(i32),
}

impl OwnedValue {
    /// The value, borrowed.
    pub fn value(&self) -> Value<'_> {
        match self {
            OwnedValue::Word(word) => Value::Word(word),
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::Command(command) => Value::Command(command),
            OwnedValue::Address(address) => Value::Address(*address),
            OwnedValue::Int(number) => Value::Int(*number),
            OwnedValue::Seconds(time) => Value::Seconds(*time),
            OwnedValue::Bool(truth) => Value::Bool(*truth),
            OwnedValue::Flags(flags) => Value::Flags(*flags),
            OwnedValue::Errno(errno) => Value::Errno(*errno),
        }
    }
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> OwnedValue {
        match value {
            Value::Word(word) => OwnedValue::Word(word),
            Value::Text(text) => OwnedValue::Text(Arc::clone(text)),
            Value::Command(command) => OwnedValue::Command(*command),
            Value::Address(address) => OwnedValue::Address(address),
            Value::Int(number) => OwnedValue::Int(number),
            Value::Seconds(time) => OwnedValue::Seconds(time),
            Value::Bool(truth) => OwnedValue::Bool(truth),
            Value::Flags(flags) => OwnedValue::Flags(flags),
            Value::Errno(errno) => OwnedValue::Errno(errno),
        }
    }
}

/// A text that a processor found.
impl From<&str> for OwnedValue {
    fn from(text: &str) -> OwnedValue {
        OwnedValue::Text(text.into())
    }
}

impl fmt::Display for OwnedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}
