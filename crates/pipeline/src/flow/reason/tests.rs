//! Each reason's words.

use super::reason;
use crate::flow::{HandshakeRole, RetransmitType};
use crate::raw::RawReason;

#[test]
fn each_reason_has_its_type_and_a_handshake_its_role() {
    for (raw, kind, role) in [
        (RawReason::Unknown, RetransmitType::Unknown, None),
        (RawReason::Fast, RetransmitType::Fast, None),
        (RawReason::TailLossProbe, RetransmitType::TailLossProbe, None),
        (RawReason::Timeout, RetransmitType::Timeout, None),
        (RawReason::SlowStart, RetransmitType::Timeout, None),
        (RawReason::Syn, RetransmitType::Handshake, Some(HandshakeRole::Client)),
        (RawReason::SynAck, RetransmitType::Handshake, Some(HandshakeRole::Server)),
    ] {
        assert_eq!(reason(raw), (kind, role), "{raw:?}");
    }
}
