//! A condition on one attribute: `network.peer.port in [80, 443]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde_with::{DeserializeFromStr, SerializeDisplay};
use strum::VariantNames;

use crate::attribute::{Attribute, Key, OwnedValue, Value, errno};
use crate::config::nearest;
use crate::record::{Command, HandshakeRole, NetworkType, Record, RetransmitType, TcpFlags, TcpState};

/// `ATTR (==|!=|in|not in) VALUE`, compiled. It is shown and serialized as it was written.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Condition {
    written: String,
    key: Key,
    values: Values,
    /// True for `!=` and `not in`.
    negated: bool,
}

/// The values that the attribute is compared with. It is enough if one of them is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    Words(Vec<&'static str>),
    Truths(Vec<bool>),
    /// Whole numbers. Flags are here as their bits, errors as their errno.
    Numbers(Vec<i64>),
    /// Networks. An address is here as a network of one address.
    Networks(Vec<IpNet>),
    /// Texts. Of an attribute that a processor finds, also the other types that each text can be read as.
    Found(Vec<OwnedValue>),
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition `{condition}`: {problem}")]
pub struct ConditionError {
    condition: String,
    problem: String,
}

impl Condition {
    /// True if the record matches. A record without the attribute never matches, also under `!=` and `not in`.
    pub fn matches(&self, record: &Record) -> bool {
        self.contains(record).is_some_and(|contained| contained != self.negated)
    }

    /// True if the record's value is among the condition's; `None` if the record has no value.
    fn contains(&self, record: &Record) -> Option<bool> {
        Some(match (&self.values, record.get(&self.key)?) {
            (Values::Numbers(numbers), Value::Int(number)) => numbers.contains(&number),
            (Values::Numbers(numbers), Value::Flags(flags)) => numbers.contains(&flags.0.into()),
            (Values::Numbers(numbers), Value::Errno(errno)) => numbers.contains(&errno.into()),
            (Values::Words(words), Value::Word(word)) => words.contains(&word),
            (Values::Truths(truths), Value::Bool(truth)) => truths.contains(&truth),
            (Values::Networks(nets), Value::Address(address)) => {
                nets.iter().any(|net| net.contains(&address))
            }
            (Values::Found(found), value) => found.iter().any(|one| match value.as_str() {
                Some(text) => one.value().as_str() == Some(text),
                None => one.value() == value,
            }),
            _ => return None,
        })
    }

    /// A condition on `key`, from the operator and the value in `parts`.
    pub(super) fn on(key: Key, written: &str, parts: &Parts<'_>) -> Result<Self, String> {
        let values = list(parts.value, parts.many)?;
        let values = match &key {
            Key::Own(attribute) => compile(*attribute, &values)?,
            Key::Found(_) => Values::Found(values.into_iter().flat_map(readings).collect()),
        };
        Ok(Condition { written: written.to_owned(), key, values, negated: parts.negated })
    }
}

impl Condition {
    /// The name of the attribute, if a processor has to find it.
    pub(super) fn asks_for(&self) -> Option<&str> {
        match &self.key {
            Key::Own(_) => None,
            Key::Found(name) => Some(name),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(written: &str) -> Result<Self, ConditionError> {
        let error = |problem: String| ConditionError { condition: written.to_owned(), problem };
        let parts = split(written).ok_or_else(|| {
            error(
                "expected ATTRIBUTE (==|!=|in|not in) VALUE, such as `network.peer.port in [80, 443]`"
                    .to_owned(),
            )
        })?;
        let Ok(key) = Key::from_str(parts.attribute);
        Condition::on(key, written, &parts).map_err(error)
    }
}

pub(super) struct Parts<'a> {
    pub(super) attribute: &'a str,
    negated: bool,
    /// True for `in` and `not in`, which take lists.
    many: bool,
    value: &'a str,
}

/// Splits a condition into its three parts; `None` if one of them is missing.
pub(super) fn split(written: &str) -> Option<Parts<'_>> {
    let written = written.trim();
    let end = written.find(|c: char| c.is_whitespace() || c == '=' || c == '!')?;
    let (attribute, rest) = written.split_at(end);
    let rest = rest.trim_start();
    let word = |text: &'_ str, word: &str| -> Option<usize> {
        let rest = text.strip_prefix(word)?;
        rest.starts_with(|c: char| c.is_whitespace() || c == '[').then_some(text.len() - rest.len())
    };
    let (negated, many, value) = if let Some(value) = rest.strip_prefix("==") {
        (false, false, value)
    } else if let Some(value) = rest.strip_prefix("!=") {
        (true, false, value)
    } else if let Some(length) = word(rest, "in") {
        (false, true, &rest[length..])
    } else {
        let rest = rest[word(rest, "not")?..].trim_start();
        (true, true, &rest[word(rest, "in")?..])
    };
    let value = value.trim();
    (!attribute.is_empty() && !value.is_empty()).then_some(Parts { attribute, negated, many, value })
}

/// Reads the values: one, or several with commas between them, with or without brackets. Quotes around a value are
/// ignored.
fn list(value: &str, many: bool) -> Result<Vec<&str>, &'static str> {
    let inner = match value.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(Some(inner)) => inner,
        None if !value.ends_with(']') => value,
        _ => return Err("the list's brackets don't match"),
    };
    if !many && (inner.len() != value.len() || inner.contains(',')) {
        return Err("`==` and `!=` take one value; for a list use `in` or `not in`");
    }
    inner
        .split(',')
        .map(|value| value.trim().trim_matches(['"', '\'']))
        .map(|value| if value.is_empty() { Err("a value is empty") } else { Ok(value) })
        .collect()
}

/// What a text can be read as: a text, and a number, a truth value or an address if it looks like one.
fn readings(text: &str) -> impl Iterator<Item = OwnedValue> {
    let number = text.parse().ok().map(OwnedValue::Int);
    let truth = text.parse().ok().map(OwnedValue::Bool);
    let address = text.parse().ok().map(OwnedValue::Address);
    [Some(text.into()), number, truth, address].into_iter().flatten()
}

/// Reads the values as the type of the attribute.
fn compile(attribute: Attribute, values: &[&str]) -> Result<Values, String> {
    match attribute {
        Attribute::NetworkTransport => words(attribute, values, &["tcp"]),
        Attribute::NetworkType => words(attribute, values, NetworkType::VARIANTS),
        Attribute::RetransmitType => words(attribute, values, RetransmitType::VARIANTS),
        Attribute::HandshakeRole => words(attribute, values, HandshakeRole::VARIANTS),
        Attribute::ConnectionState => words(attribute, values, TcpState::VARIANTS),
        Attribute::SlowStart => {
            each(attribute, values, "true or false", |v| v.parse().ok()).map(Values::Truths)
        }
        Attribute::LocalAddress | Attribute::PeerAddress => {
            each(attribute, values, "an address or a network, such as 10.0.0.0/8 or 2001:db8::1", network)
                .map(Values::Networks)
        }
        Attribute::LocalPort | Attribute::PeerPort => {
            each(attribute, values, "a port, 0 to 65535", |v| v.parse::<u16>().ok().map(i64::from))
                .map(Values::Numbers)
        }
        Attribute::Events
        | Attribute::Failures
        | Attribute::Segments
        | Attribute::Bytes
        | Attribute::Sequence
        | Attribute::Cwnd
        | Attribute::Mss
        | Attribute::TotalRetransmits
        | Attribute::SegmentsSent
        | Attribute::DsackDups
        | Attribute::ProcessPid
        | Attribute::NetnsInode => each(attribute, values, "a whole number, 0 to 4294967295", |v| {
            v.parse::<u32>().ok().map(i64::from)
        })
        .map(Values::Numbers),
        Attribute::ProcessCommand => each(attribute, values, "a command of at most 15 bytes", |v| {
            (v.len() <= Command::MOST).then(|| v.into())
        })
        .map(Values::Found),
        Attribute::Flags => each(attribute, values, "flags such as SYN|ACK, or none", |v| {
            TcpFlags::from_str(v).ok().map(|flags| flags.0.into())
        })
        .map(Values::Numbers),
        Attribute::ErrorType => {
            each(attribute, values, "an error's name, such as EBUSY", |v| errno(v).map(i64::from))
                .map(Values::Numbers)
        }
        Attribute::Rtt => Err(format!("{attribute} is a measurement, which no exact value matches")),
        Attribute::MetricOverflow => Err(format!("{attribute} is on metric points, not on records")),
    }
}

fn words(attribute: Attribute, values: &[&str], allowed: &'static [&'static str]) -> Result<Values, String> {
    let word = |value: &&str| {
        allowed.iter().copied().find(|word| word == value).ok_or_else(|| {
            let hint = nearest(value, allowed.iter().copied());
            let hint = hint.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
            format!("`{value}` is no value of {attribute}; expected one of {}{hint}", allowed.join(", "))
        })
    };
    values.iter().map(word).collect::<Result<_, _>>().map(Values::Words)
}

fn each<T>(
    attribute: Attribute,
    values: &[&str],
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let one = |value: &&str| {
        parse(value).ok_or_else(|| format!("`{value}` is no value of {attribute}; expected {expected}"))
    };
    values.iter().map(one).collect()
}

/// Reads a network, or an address as a network of one. IPv4-mapped addresses become IPv4, as in records.
fn network(value: &str) -> Option<IpNet> {
    /// Prefix length of the IPv4-mapped addresses, `::ffff:0:0/96`.
    const MAPPED: u8 = 96;
    if let Ok(address) = value.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let net: IpNet = value.parse().ok()?;
    let length = net.prefix_len().checked_sub(MAPPED);
    Some(match (net.addr().to_canonical(), length) {
        (IpAddr::V4(address), Some(length)) if net.addr().is_ipv6() => {
            Ipv4Net::new(address, length).ok()?.into()
        }
        _ => net,
    })
}
