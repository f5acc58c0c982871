//! The gap: retransmissions of which nothing is known but their number, and the record of either kind.

use super::{FlowRecord, HandshakeRole, NetworkType, RetransmitType, TcpFlags};

/// Retransmissions that were counted in the kernel and not seen, of one IP version and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the gap was found, ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// IP version.
    pub network_type: NetworkType,
    /// Why the kernel retransmitted.
    pub retransmit_type: RetransmitType,
    /// A timeout's: not sent by the timer itself, but in the slow start after it.
    pub slow_start: bool,
    /// Which side of the handshake sent them; `None` on anything but SYN and SYN-ACK.
    pub handshake_role: Option<HandshakeRole>,
    /// Retransmissions, those included that the kernel failed to send.
    pub events: u64,
    /// Segments sent again, as the kernel counts them.
    pub segments: u64,
    /// Payload of what was sent, in bytes.
    pub bytes: u64,
    /// Retransmissions that the kernel itself failed to send.
    pub failures: u64,
}

/// What pipelines carry: each a log record, and each part of the sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A retransmission that was seen, or segments of a socket that were found when it ended.
    Flow(FlowRecord),
    /// Retransmissions that were not seen.
    Gap(Gap),
}

impl From<FlowRecord> for Record {
    fn from(record: FlowRecord) -> Record {
        Record::Flow(record)
    }
}

impl From<Gap> for Record {
    fn from(gap: Gap) -> Record {
        Record::Gap(gap)
    }
}

impl Record {
    /// The retransmission's own time, or that at which the gap was found; ns since the Unix epoch.
    pub fn time_unix_nano(&self) -> u64 {
        match self {
            Record::Flow(flow) => flow.time_unix_nano,
            Record::Gap(gap) => gap.time_unix_nano,
        }
    }

    /// The event's name, which says what its attributes mean.
    pub fn event_name(&self) -> &'static str {
        if self.is_gap() { "tcp.retransmit.gap" } else { "tcp.retransmit" }
    }

    /// Is it about what was not seen?
    pub fn is_gap(&self) -> bool {
        match self {
            Record::Flow(flow) => flow.is_unseen(),
            Record::Gap(_) => true,
        }
    }

    /// IP version.
    pub fn network_type(&self) -> NetworkType {
        match self {
            Record::Flow(flow) => flow.network_type(),
            Record::Gap(gap) => gap.network_type,
        }
    }

    /// Why the kernel retransmitted.
    pub fn retransmit_type(&self) -> RetransmitType {
        match self {
            Record::Flow(flow) => flow.retransmit_type,
            Record::Gap(gap) => gap.retransmit_type,
        }
    }

    /// Of a timeout: was it the slow start after it, and not the timer itself?
    pub fn slow_start(&self) -> Option<bool> {
        let slow_start = match self {
            Record::Flow(flow) => flow.slow_start,
            Record::Gap(gap) => gap.slow_start,
        };
        (self.retransmit_type() == RetransmitType::Timeout).then_some(slow_start)
    }

    /// Which side of the handshake sent it; `None` on anything but SYN and SYN-ACK.
    pub fn handshake_role(&self) -> Option<HandshakeRole> {
        match self {
            Record::Flow(flow) => flow.handshake_role,
            Record::Gap(gap) => gap.handshake_role,
        }
    }

    /// Header flags; `None` where no skb was seen.
    pub fn flags(&self) -> Option<TcpFlags> {
        match self {
            Record::Flow(flow) => (!flow.is_unseen()).then_some(flow.flags),
            Record::Gap(_) => None,
        }
    }

    /// The errno with which the kernel failed to send it. A gap's failures are of any.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Record::Flow(flow) => flow.errno,
            Record::Gap(_) => None,
        }
    }

    /// Segments sent again, as the kernel counts them.
    pub fn segments(&self) -> u64 {
        match self {
            Record::Flow(flow) => flow.segments.into(),
            Record::Gap(gap) => gap.segments,
        }
    }

    /// skbs sent again, known by themselves or as a number.
    pub fn skbs_sent(&self) -> u64 {
        match self {
            Record::Flow(flow) => u64::from(flow.errno.is_none() && !flow.is_unseen()),
            Record::Gap(gap) => gap.events.saturating_sub(gap.failures),
        }
    }

    /// Payload sent again, in bytes.
    pub fn bytes_sent(&self) -> u64 {
        match self {
            Record::Flow(flow) if flow.errno.is_some() => 0,
            Record::Flow(flow) => flow.bytes.into(),
            Record::Gap(gap) => gap.bytes,
        }
    }

    /// Retransmissions that the kernel itself failed to send.
    pub fn failures(&self) -> u64 {
        match self {
            Record::Flow(flow) => flow.errno.is_some().into(),
            Record::Gap(gap) => gap.failures,
        }
    }
}

#[cfg(test)]
mod tests;
