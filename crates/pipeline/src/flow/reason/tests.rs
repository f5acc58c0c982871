//! Each reason, and what takes precedence.

use super::reason;
use crate::flow::{HandshakeRole, RetransmitType};
use crate::raw::{RawEvent, RawKind};
use crate::sample::event;

const SYN: u16 = 0x002;
const ACK: u16 = 0x010;
const ECE_CWR: u16 = 0x0c0;

fn of(event: RawEvent) -> (RetransmitType, Option<HandshakeRole>) {
    reason(&event)
}

#[test]
fn congestion_state_and_timer_tell_segments_apart() {
    let of = |ca_state, pending_timer| of(RawEvent { ca_state, pending_timer, ..event() });
    assert_eq!(of(3, 1), (RetransmitType::Fast, None));
    assert_eq!(of(4, 1), (RetransmitType::Timeout, None));
    assert_eq!(of(4, 5), (RetransmitType::Timeout, None), "no probe is scheduled in Loss");
    assert_eq!(of(3, 5), (RetransmitType::Fast, None), "nor in Recovery");
    for open in [0, 1, 2] {
        assert_eq!(of(open, 5), (RetransmitType::TailLossProbe, None));
        for timer in [0, 1, 3, 6] {
            assert_eq!(of(open, timer), (RetransmitType::Unknown, None), "{open} {timer}");
        }
    }
    assert_eq!(of(255, 255), (RetransmitType::Unknown, None));
}

#[test]
fn handshakes_whatever_the_congestion_state() {
    let syn = |tcp_flags| of(RawEvent { tcp_flags, ca_state: 4, ..event() });
    assert_eq!(syn(SYN), (RetransmitType::Handshake, Some(HandshakeRole::Client)));
    assert_eq!(syn(SYN | ECE_CWR), (RetransmitType::Handshake, Some(HandshakeRole::Client)));
    assert_eq!(syn(SYN | ACK), (RetransmitType::Handshake, Some(HandshakeRole::Server)), "fast open");
}

#[test]
fn a_request_socket_is_the_server_whatever_its_flags() {
    let synack = of(RawEvent { kind: RawKind::SynAck, tcp_flags: 0, ..event() });
    assert_eq!(synack, (RetransmitType::Handshake, Some(HandshakeRole::Server)));
}
