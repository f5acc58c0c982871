//! From a line back to a record.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::write::{EVENT_NAME, TIME};
use crate::attribute::{Attribute, OwnedValue, errno};
use crate::record::{
    Amounts, Bundle, Class, Command, Flow, NetworkType, Owner, Record, Segment, TcpFlags, TcpSample, TcpState,
};

/// Why a line is not a record.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not an object in JSON.
    #[error("not a JSON object: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Something is missing that each record of its kind has.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value is of another type, or out of range.
    #[error("{name}: {problem}")]
    Value {
        /// The name.
        name: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
}

/// Reads a line that [`write`](super::write()) has written.
///
/// The record has what the line says. So it has no identity, no cgroup id and no socket cookie, and all that processors
/// found is with the local side.
///
/// # Errors
/// The line is no record.
pub fn read(line: &[u8]) -> Result<Record, Unreadable> {
    let mut fields = Fields(serde_json::from_slice(line)?);
    let time: Timestamp = fields.parsed(TIME)?.ok_or(Unreadable::Missing(TIME))?;
    let time_unix_nano = u64::try_from(time.as_nanosecond()).map_err(|error| unfit(TIME, error))?;
    for known in [EVENT_NAME, Attribute::NetworkTransport.name()] {
        fields.0.remove(known);
    }
    let class = class(&mut fields)?;
    let flow = flow(&mut fields)?;
    let segment = segment(&mut fields, flow.is_some())?;
    let amounts = amounts(&mut fields, segment)?;
    let tcp = sample(&mut fields)?;
    let owner = owner(&mut fields)?;
    let local_attributes = fields.found();
    Ok(Record {
        time_unix_nano,
        class,
        amounts,
        identity: None,
        flow,
        segment,
        tcp,
        owner,
        local_attributes,
        peer_attributes: None,
    })
}

fn class(fields: &mut Fields) -> Result<Class, Unreadable> {
    let network_type: NetworkType = fields.needed(Attribute::NetworkType)?;
    Ok(Class {
        network_type,
        retransmit_type: fields.needed(Attribute::RetransmitType)?,
        handshake_role: fields.parsed(Attribute::HandshakeRole.name())?,
        slow_start: fields.truth(Attribute::SlowStart)?,
    })
}

/// A record with a state is about one connection.
fn flow(fields: &mut Fields) -> Result<Option<Flow>, Unreadable> {
    let Some(state) = fields.parsed::<TcpState>(Attribute::ConnectionState.name())? else { return Ok(None) };
    let mut end = |address, port| -> Result<SocketAddr, Unreadable> {
        let address: IpAddr = fields.needed(address)?;
        Ok(SocketAddr::new(address, fields.needed_number(port)?))
    };
    let local = end(Attribute::LocalAddress, Attribute::LocalPort)?;
    let peer = end(Attribute::PeerAddress, Attribute::PeerPort)?;
    let netns_inode = fields.number(Attribute::NetnsInode)?;
    Ok(Some(Flow { local, peer, state, netns_inode, cgroup_id: None, socket_cookie: None }))
}

/// Where there are flags, an skb was seen.
fn segment(fields: &mut Fields, has_flow: bool) -> Result<Option<Segment>, Unreadable> {
    let Some(flags) = fields.parsed::<TcpFlags>(Attribute::Flags.name())?.filter(|_| has_flow) else {
        return Ok(None);
    };
    let error = fields.text(Attribute::ErrorType.name())?;
    let errno = |name: String| {
        errno(&name).ok_or_else(|| unfit(Attribute::ErrorType.name(), format!("unknown error {name:?}")))
    };
    Ok(Some(Segment {
        flags,
        sequence: fields.needed_number(Attribute::Sequence)?,
        payload_bytes: fields.needed_number(Attribute::Bytes)?,
        errno: error.map(errno).transpose()?,
    }))
}

fn amounts(fields: &mut Fields, segment: Option<Segment>) -> Result<Amounts, Unreadable> {
    let segments = fields.needed_number(Attribute::Segments)?;
    let Some(segment) = segment else {
        return Ok(Amounts {
            events: fields.number(Attribute::Events)?.unwrap_or(0),
            segments,
            bytes: fields.number(Attribute::Bytes)?.unwrap_or(0),
            failures: fields.number(Attribute::Failures)?.unwrap_or(0),
        });
    };
    let is_sent = segment.errno.is_none();
    let bytes = if is_sent { segment.payload_bytes.into() } else { 0 };
    Ok(Amounts { events: 1, segments, bytes, failures: u64::from(!is_sent) })
}

fn sample(fields: &mut Fields) -> Result<Option<TcpSample>, Unreadable> {
    let Some(cwnd) = fields.number(Attribute::Cwnd)? else { return Ok(None) };
    Ok(Some(TcpSample {
        rtt: fields.seconds(Attribute::Rtt)?,
        cwnd,
        mss: fields.needed_number(Attribute::Mss)?,
        total_retransmits: fields.needed_number(Attribute::TotalRetransmits)?,
        segments_sent: fields.needed_number(Attribute::SegmentsSent)?,
        dsack_dups: fields.needed_number(Attribute::DsackDups)?,
    }))
}

fn owner(fields: &mut Fields) -> Result<Option<Owner>, Unreadable> {
    let Some(pid) = fields.number(Attribute::ProcessPid)? else { return Ok(None) };
    let command = fields.text(Attribute::ProcessCommand.name())?.unwrap_or_default();
    let mut comm = [0; Command::MOST + 1];
    let length = command.len().min(Command::MOST);
    comm[..length].copy_from_slice(&command.as_bytes()[..length]);
    Ok(Some(Owner { pid, command: Command::from_kernel(comm) }))
}

/// What was not taken out of the object yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&mut self, name: &'static str) -> Result<Option<String>, Unreadable> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(unfit(name, format!("expected a text, found {other}"))),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Result<Option<T>, Unreadable> {
        let parse = |text: String| {
            text.parse::<T>().map_err(|error| unfit(name, format!("{text:?} is not expected: {error}")))
        };
        self.text(name)?.map(parse).transpose()
    }

    fn needed<T: FromStr<Err: Display>>(&mut self, attribute: Attribute) -> Result<T, Unreadable> {
        self.parsed(attribute.name())?.ok_or(Unreadable::Missing(attribute.name()))
    }

    fn number<T: TryFrom<u64>>(&mut self, attribute: Attribute) -> Result<Option<T>, Unreadable> {
        let name = attribute.name();
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or_else(|| unfit(name, format!("expected a whole number, found {value}")))
    }

    fn needed_number<T: TryFrom<u64>>(&mut self, attribute: Attribute) -> Result<T, Unreadable> {
        self.number(attribute)?.ok_or(Unreadable::Missing(attribute.name()))
    }

    fn seconds(&mut self, attribute: Attribute) -> Result<Option<Duration>, Unreadable> {
        let name = attribute.name();
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let time = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        time.map(Some).ok_or_else(|| unfit(name, format!("expected seconds, found {value}")))
    }

    fn truth(&mut self, attribute: Attribute) -> Result<Option<bool>, Unreadable> {
        let name = attribute.name();
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| unfit(name, format!("expected true or false, found {value}")))
    }

    /// The rest: what processors found.
    fn found(self) -> Option<Arc<Bundle>> {
        let value = |value: Value| match value {
            Value::String(text) => Some(OwnedValue::Text(text.into())),
            Value::Bool(truth) => Some(OwnedValue::Bool(truth)),
            Value::Number(number) => number.as_i64().map(OwnedValue::Int),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let found = self.0.into_iter().filter_map(|(name, of)| Some((name.into(), value(of)?)));
        let bundle: Bundle = found.collect();
        let is_empty = bundle.iter().next().is_none();
        (!is_empty).then(|| Arc::new(bundle))
    }
}

fn unfit(name: &'static str, problem: impl ToString) -> Unreadable {
    Unreadable::Value { name, problem: problem.to_string() }
}
