//! The series that a host can be expected to have. They are reported as 0 before anything happens, so that a backend
//! sees their first increment.

use super::base::Base;
use super::metrics::Increments;
use crate::record::{HandshakeRole, NetworkType, RetransmitType, TcpState};

/// The states in which a socket has data or a FIN that it may have to send again (RFC 9293, section 3.3.2).
const SENDING: [TcpState; 5] =
    [TcpState::Established, TcpState::FinWait1, TcpState::CloseWait, TcpState::LastAck, TcpState::Closing];

/// The counts of such a series at the start. Failures have an `error.type`, so they are in other series. A handshake has no
/// round-trip time yet.
pub(super) fn nothing(base: Base, with_rtt: bool) -> Increments {
    let rtt = with_rtt && base.handshake_role.is_none() && base.retransmit_type != RetransmitType::Unknown;
    [Some(0), Some(0), Some(0), None, rtt.then_some(0)]
}

/// The default attributes of these series.
pub(super) fn plausible() -> impl Iterator<Item = Base> {
    [NetworkType::Ipv4, NetworkType::Ipv6].into_iter().flat_map(|network_type| {
        classes().map(move |(retransmit_type, handshake_role, state)| Base {
            network_type,
            retransmit_type,
            handshake_role,
            state: Some(state),
            errno: None,
        })
    })
}

/// The combinations of reason, role and state that occur in the kernel. `bpf/reason.h` lists the callers there.
fn classes() -> impl Iterator<Item = (RetransmitType, Option<HandshakeRole>, TcpState)> {
    use RetransmitType::{Fast, Handshake, TailLossProbe, Timeout, Unknown};
    let data = [Fast, TailLossProbe, Timeout].into_iter();
    data.flat_map(|reason| SENDING.map(|state| (reason, None, state))).chain([
        // Before kernel 5.12: data that was sent with a fast-open SYN and that the peer did not take.
        (Unknown, None, TcpState::Established),
        // Segments that are found when a socket ends. It is in the state closed then (inet_csk_destroy_sock).
        (Unknown, None, TcpState::Closed),
        (Handshake, Some(HandshakeRole::Client), TcpState::SynSent),
        (Handshake, Some(HandshakeRole::Server), TcpState::SynReceived),
    ])
}
