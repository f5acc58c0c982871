//! Addresses, time and state of a converted event.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{ConvertError, flow_record};
use crate::attribute::error_type;
use crate::flow::{Gap, HandshakeRole, NetworkType, RecordIdentity, RetransmitType, TcpFlags, TcpState};
use crate::raw::{RawEvent, RawGap, RawKind, RawReason};
use crate::sample::{event, raw_gap, unseen};

fn ipv6(local: &str, peer: &str) -> RawEvent {
    RawEvent {
        family: 10,
        local_address: local.parse::<Ipv6Addr>().unwrap().octets(),
        peer_address: peer.parse::<Ipv6Addr>().unwrap().octets(),
        ..event()
    }
}

#[test]
fn ipv4() {
    let record = flow_record(&event()).unwrap();
    assert_eq!(record.local, SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 43210)));
    assert_eq!(record.peer, SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 443)));
    assert_eq!(record.network_type(), NetworkType::Ipv4);
    assert_eq!(record.identity, RecordIdentity { cpu: 1, kind: RawKind::Segment, sequence: 42 });
    assert_eq!(record.flags, TcpFlags(TcpFlags::ACK | TcpFlags::PSH));
    assert_eq!((record.segments, record.bytes, record.sequence), (2, 2896, 7));
    assert_eq!((record.cwnd, record.mss, record.total_retransmits), (10, 1448, 2));
    let owner = (record.netns_inode, record.cgroup_id, record.socket_cookie);
    assert_eq!(owner, (Some(13), Some(12), Some(11)));
}

#[test]
fn ipv6_stays_ipv6() {
    let record = flow_record(&ipv6("2001:db8::1", "2001:db8::2")).unwrap();
    assert_eq!(record.local, "[2001:db8::1]:43210".parse().unwrap());
    assert_eq!(record.peer, "[2001:db8::2]:443".parse().unwrap());
    assert_eq!(record.network_type(), NetworkType::Ipv6);
}

#[test]
fn mapped_addresses_are_ipv4() {
    let record = flow_record(&ipv6("::ffff:10.0.0.1", "::ffff:192.0.2.7")).unwrap();
    assert_eq!(record.local, "10.0.0.1:43210".parse().unwrap());
    assert_eq!(record.peer, "192.0.2.7:443".parse().unwrap());
    assert_eq!(record.network_type(), NetworkType::Ipv4);
}

#[test]
fn an_unbound_dual_stack_socket_has_one_family() {
    let record = flow_record(&ipv6("::", "::ffff:192.0.2.7")).unwrap();
    assert_eq!(record.local, "0.0.0.0:43210".parse().unwrap());
    assert_eq!(record.network_type(), NetworkType::Ipv4);
}

#[test]
fn ipv4_compatible_and_loopback_are_not_mapped() {
    let record = flow_record(&ipv6("::1", "::192.0.2.7")).unwrap();
    assert_eq!(record.network_type(), NetworkType::Ipv6);
}

#[test]
fn an_unknown_family_is_an_error_with_a_known_reason() {
    for family in [0, 1, 16, u16::MAX] {
        let error = flow_record(&RawEvent { family, ..event() }).unwrap_err();
        assert_eq!(error, ConvertError::UnknownFamily(family));
        assert!(ConvertError::REASONS.contains(&error.reason()));
    }
}

#[test]
fn time_is_the_events_own_and_never_wraps() {
    assert_eq!(flow_record(&event()).unwrap().time_unix_nano, 1_700_000_005_000_000_000);
    let before_epoch = RawEvent { wall_offset_ns: -6_000_000_000, ..event() };
    assert_eq!(flow_record(&before_epoch).unwrap().time_unix_nano, 0);
    let absurd = RawEvent { boot_time_ns: u64::MAX, ..event() };
    assert_eq!(flow_record(&absurd).unwrap().time_unix_nano, u64::MAX);
}

#[test]
fn the_kernels_states() {
    let state = |state| flow_record(&RawEvent { state, ..event() }).unwrap().state;
    let known = [
        TcpState::Established,
        TcpState::SynSent,
        TcpState::SynReceived,
        TcpState::FinWait1,
        TcpState::FinWait2,
        TcpState::TimeWait,
        TcpState::Closed,
        TcpState::CloseWait,
        TcpState::LastAck,
        TcpState::Listen,
        TcpState::Closing,
        TcpState::SynReceived,
    ];
    for (number, expected) in (1..).zip(known) {
        assert_eq!(state(number), expected, "{number}");
    }
    assert_eq!(state(0), TcpState::Closed);
    assert_eq!(state(13), TcpState::Closed, "TCP_BOUND_INACTIVE never sends");
}

#[test]
fn only_an_error_is_an_error() {
    let errno = |err| flow_record(&RawEvent { err, ..event() }).unwrap().errno;
    assert_eq!(errno(None), None);
    assert_eq!(errno(Some(0)), None);
    assert_eq!(errno(Some(-16)), Some(16));
    assert_eq!(errno(Some(-1)).map(error_type).as_deref(), Some("EPERM"), "a firewall's drop");
    assert_eq!(errno(Some(1)).map(error_type).as_deref(), Some("ENOBUFS"), "a queueing discipline's drop");
    assert_eq!(errno(Some(i32::MIN)), Some(i32::MIN), "absurd, and no panic");
}

#[test]
fn no_round_trip_time_before_the_first_sample() {
    let rtt = |srtt_us| flow_record(&RawEvent { srtt_us, ..event() }).unwrap().rtt;
    assert_eq!(rtt(0), None);
    assert_eq!(rtt(1500), Some(Duration::from_micros(1500)));
}

#[test]
fn the_reason_is_the_receivers_and_nothing_else_decides() {
    let of = |reason| {
        let record = flow_record(&RawEvent { reason, ca_state: 0, pending_timer: 0, ..event() }).unwrap();
        (record.retransmit_type, record.handshake_role, record.slow_start)
    };
    assert_eq!(of(RawReason::Fast), (RetransmitType::Fast, None, false));
    assert_eq!(of(RawReason::Timeout), (RetransmitType::Timeout, None, false));
    assert_eq!(of(RawReason::SlowStart), (RetransmitType::Timeout, None, true));
    assert_eq!(of(RawReason::Syn), (RetransmitType::Handshake, Some(HandshakeRole::Client), false));
}

#[test]
fn segments_without_their_skb_have_addresses_all_the_same() {
    let record = unseen();
    assert!(record.is_unseen() && !flow_record(&event()).unwrap().is_unseen());
    assert_eq!((record.peer, record.segments), ("192.0.2.7:443".parse().unwrap(), 2));
    assert_eq!((record.retransmit_type, record.errno), (RetransmitType::Unknown, None));
}

#[test]
fn a_gap() {
    let raw = RawGap { ipv6: true, reason: RawReason::SlowStart, ..raw_gap() };
    let expected = Gap {
        time_unix_nano: 1_700_000_006_000_000_000,
        network_type: NetworkType::Ipv6,
        retransmit_type: RetransmitType::Timeout,
        slow_start: true,
        handshake_role: None,
        events: 12,
        segments: 200,
        bytes: 289_600,
        failures: 1,
    };
    assert_eq!(Gap::from(raw), expected);
    let synacks = Gap::from(RawGap { reason: RawReason::SynAck, ..raw_gap() });
    assert_eq!((synacks.network_type, synacks.slow_start), (NetworkType::Ipv4, false));
    assert_eq!(synacks.handshake_role, Some(HandshakeRole::Server));
}
