//! The record itself: its parts, and what it means if some of them are missing.

use std::sync::Arc;

use super::amounts::Amounts;
use super::bundle::Bundle;
use super::class::Class;
use super::flow::{Flow, Segment, TcpSample};
use super::owner::Owner;

/// The events: their names, and what they tell.
pub static EVENTS: [(&str, &str); 2] = [
    (
        "tcp.retransmit",
        "One retransmission of a packet (skb), of one or more segments. Severity INFO, and WARN for an attempt that the kernel failed to send.",
    ),
    (
        "tcp.retransmit.gap",
        "Retransmissions that the kernel side has counted and that were not seen one by one. Severity WARN. Where it has addresses, these are segments that were found when their socket ended.",
    ),
];

/// One retransmission, or a gap. Each record becomes one log record, and is part of the sums.
///
/// | record | flow | segment | identity | event name |
/// |---|---|---|---|---|
/// | a retransmission that was seen, sent or failed | yes | yes | yes | `tcp.retransmit` |
/// | segments that were found when their socket ended | yes | no | yes | `tcp.retransmit.gap` |
/// | a gap: retransmissions that were counted and not seen | no | no | no | `tcp.retransmit.gap` |
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When the segment was sent again, or when the gap was found; ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// IP version, reason and role.
    pub class: Class,
    /// How much the record stands for.
    pub amounts: Amounts,
    /// Which of the receiver's events this is. `None` for a gap, which is not an event.
    pub identity: Option<Identity>,
    /// The connection. `None` for a gap.
    pub flow: Option<Flow>,
    /// What was sent again. `None` where no skb was seen.
    pub segment: Option<Segment>,
    /// A sample of the socket's TCP values. `None` for a gap.
    pub tcp: Option<TcpSample>,
    /// Who owns the socket; `None` where that is not known, and for a gap.
    pub owner: Option<Owner>,
    /// What processors found for the local side. A clone of the record shares it.
    pub local_attributes: Option<Arc<Bundle>>,
    /// What processors found for the peer side. A clone of the record shares it.
    pub peer_attributes: Option<Arc<Bundle>>,
}

/// An event's identity within one start of its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The CPU that saw the event.
    pub cpu: u32,
    /// Number of the receiver's stream of events. Each stream numbers its own events.
    pub stream: u8,
    /// Number of the event on that CPU and in that stream, counted from 0.
    pub sequence: u64,
}

impl Record {
    /// The event's name, which says what its attributes mean.
    pub fn event_name(&self) -> &'static str {
        if self.is_gap() { EVENTS[1].0 } else { EVENTS[0].0 }
    }

    /// True if the record is about retransmissions that were not seen. It has no segment then.
    pub fn is_gap(&self) -> bool {
        self.segment.is_none()
    }

    /// The errno with which the kernel failed to send the segment. A gap has none, since its failures may have had
    /// several.
    pub fn errno(&self) -> Option<i32> {
        self.segment.and_then(|segment| segment.errno)
    }
}

#[cfg(test)]
mod tests;
