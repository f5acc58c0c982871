//! The receiver's reason for a retransmission, in the words of the attributes.

use super::{HandshakeRole, RetransmitType};
use crate::raw::RawReason;

/// The type of a retransmission and, on a handshake, whose it is.
pub(super) fn reason(reason: RawReason) -> (RetransmitType, Option<HandshakeRole>) {
    match reason {
        RawReason::Unknown => (RetransmitType::Unknown, None),
        RawReason::Fast => (RetransmitType::Fast, None),
        RawReason::TailLossProbe => (RetransmitType::TailLossProbe, None),
        RawReason::Timeout | RawReason::SlowStart => (RetransmitType::Timeout, None),
        RawReason::Syn => (RetransmitType::Handshake, Some(HandshakeRole::Client)),
        RawReason::SynAck => (RetransmitType::Handshake, Some(HandshakeRole::Server)),
    }
}

#[cfg(test)]
mod tests;
