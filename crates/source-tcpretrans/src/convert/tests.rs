//! Addresses, time, state, reason and amounts of a converted event.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use otel_tcpretrans_pipeline::attribute::ErrorType;

use super::*;

/// An IPv4 segment that was retransmitted in Recovery, 10.0.0.1:43210 -> 192.0.2.7:443.
fn event() -> wire_event {
    wire_event {
        boot_time_ns: 5_000_000_000,
        cpu: 1,
        sequence: 42,
        kind: wire_kind::KIND_SEGMENT.0 as u8,
        reason: wire_reason::REASON_FAST.0 as u8,
        family: 2,
        local_address: [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        peer_address: [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        local_port: 43210,
        peer_port: 443,
        state: 1,
        tcp_flags: 0x018,
        tcp_sequence: 7,
        payload_bytes: 2896,
        segments: 2,
        skb_segments: 2,
        srtt_us: 1500,
        cwnd: 10,
        mss: 1448,
        total_retransmits: 2,
        segments_sent: 90,
        dsack_dups: 1,
        owner_pid: 321,
        owner_command: *b"curl\0\0\0\0\0\0\0\0\0\0\0\0",
        socket_cookie: 11,
        cgroup_id: 12,
        netns_inode: 13,
        ..wire_event::default()
    }
}

/// The record, at an offset of 1,700,000,000 s.
fn converted(event: wire_event) -> Record {
    record(&event, 1_700_000_000_000_000_000).unwrap()
}

fn ends(event: wire_event) -> (NetworkType, SocketAddr, SocketAddr) {
    let Record { class, flow, .. } = converted(event);
    let Flow { local, peer, .. } = flow.unwrap();
    (class.network_type, local, peer)
}

fn ipv6(local: &str, peer: &str) -> wire_event {
    wire_event {
        family: 10,
        local_address: local.parse::<Ipv6Addr>().unwrap().octets(),
        peer_address: peer.parse::<Ipv6Addr>().unwrap().octets(),
        ..event()
    }
}

#[test]
fn a_segment() {
    let expected = Record {
        time_unix_nano: 1_700_000_005_000_000_000,
        class: Class {
            network_type: NetworkType::Ipv4,
            retransmit_type: RetransmitType::Fast,
            handshake_role: None,
            slow_start: None,
        },
        amounts: Amounts { events: 1, segments: 2, bytes: 2896, failures: 0 },
        identity: Some(Identity { cpu: 1, stream: 0, sequence: 42 }),
        flow: Some(Flow {
            local: SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 43210)),
            peer: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 443)),
            state: TcpState::Established,
            netns_inode: Some(13),
            cgroup_id: Some(12),
            socket_cookie: Some(11),
        }),
        segment: Some(Segment {
            flags: TcpFlags(TcpFlags::ACK | TcpFlags::PSH),
            sequence: 7,
            payload_bytes: 2896,
            errno: None,
        }),
        tcp: Some(TcpSample {
            rtt: Some(Duration::from_micros(1500)),
            cwnd: 10,
            mss: 1448,
            total_retransmits: 2,
            segments_sent: 90,
            dsack_dups: 1,
        }),
        owner: Some(Owner { pid: 321, command: Command::from_kernel(*b"curl\0\0\0\0\0\0\0\0\0\0\0\0") }),
        local_attributes: None,
        peer_attributes: None,
    };
    assert_eq!(converted(event()), expected);
}

#[test]
fn a_syn_ack_is_a_segment_of_another_stream() {
    let kind = wire_kind::KIND_SYNACK.0 as u8;
    let reason = wire_reason::REASON_SYNACK.0 as u8;
    let unknown = wire_unknown::UNKNOWN_TCP_SOCK.0;
    let event = wire_event {
        kind,
        reason,
        unknown,
        srtt_us: 0,
        cwnd: 0,
        total_retransmits: 0,
        segments_sent: 0,
        dsack_dups: 0,
        ..event()
    };
    let record = converted(event);
    assert!(!record.is_gap());
    assert_eq!(record.identity, Some(Identity { cpu: 1, stream: 1, sequence: 42 }));
    assert_eq!(record.amounts, Amounts { events: 1, segments: 2, bytes: 2896, failures: 0 });
    let zero =
        TcpSample { rtt: None, cwnd: 0, mss: 1448, total_retransmits: 0, segments_sent: 0, dsack_dups: 0 };
    assert_eq!(record.tcp, Some(zero), "what there is is shown");
}

#[test]
fn segments_without_their_skb_have_addresses_all_the_same() {
    let kind = wire_kind::KIND_UNSEEN.0 as u8;
    let record = converted(wire_event { kind, reason: 0, unknown: wire_unknown::UNKNOWN_ERR.0, ..event() });
    assert_eq!((record.is_gap(), record.segment), (true, None));
    assert_eq!(record.amounts, Amounts { segments: 2, ..Amounts::default() });
    assert_eq!(record.flow, converted(event()).flow);
    assert_eq!(record.tcp, converted(event()).tcp);
    assert_eq!(record.identity, Some(Identity { cpu: 1, stream: 2, sequence: 42 }));
    assert_eq!(record.class.retransmit_type, RetransmitType::Unknown);
}

#[test]
fn segments_without_their_skb_are_found_when_the_connection_or_its_socket_ends() {
    let unseen = |kind: wire_kind| converted(wire_event { kind: kind.0 as u8, ..event() });
    let identity = Some(Identity { cpu: 1, stream: 4, sequence: 42 });
    assert_eq!(
        unseen(wire_kind::KIND_UNSEEN_AT_CLOSE),
        Record { identity, ..unseen(wire_kind::KIND_UNSEEN) }
    );
}

#[test]
fn a_segment_that_the_second_program_told_of_is_one_of_another_stream() {
    let kind = wire_kind::KIND_SEGMENT_INTERRUPTING.0 as u8;
    let identity = Some(Identity { cpu: 1, stream: 3, sequence: 42 });
    assert_eq!(converted(wire_event { kind, ..event() }), Record { identity, ..converted(event()) });
}

#[test]
fn an_owner_that_is_not_known_is_none() {
    let unknown = wire_unknown::UNKNOWN_OWNER.0;
    assert_eq!(converted(wire_event { unknown, ..event() }).owner, None);
}

#[test]
fn ipv6_stays_ipv6() {
    let expected =
        (NetworkType::Ipv6, "[2001:db8::1]:43210".parse().unwrap(), "[2001:db8::2]:443".parse().unwrap());
    assert_eq!(ends(ipv6("2001:db8::1", "2001:db8::2")), expected);
}

#[test]
fn mapped_addresses_are_ipv4() {
    let expected = (NetworkType::Ipv4, "10.0.0.1:43210".parse().unwrap(), "192.0.2.7:443".parse().unwrap());
    assert_eq!(ends(ipv6("::ffff:10.0.0.1", "::ffff:192.0.2.7")), expected);
}

#[test]
fn an_unbound_dual_stack_socket_has_one_family() {
    let (network_type, local, _) = ends(ipv6("::", "::ffff:192.0.2.7"));
    assert_eq!((network_type, local), (NetworkType::Ipv4, "0.0.0.0:43210".parse().unwrap()));
}

#[test]
fn ipv4_compatible_and_loopback_are_not_mapped() {
    assert_eq!(ends(ipv6("::1", "::192.0.2.7")).0, NetworkType::Ipv6);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    for family in [0, 1, 16, u16::MAX] {
        let error = record(&wire_event { family, segments: 21, ..event() }, 0).unwrap_err();
        assert_eq!(error, DecodeError::UnknownFamily { family, segments: 21 });
    }
    assert_eq!(record(&wire_event { kind: 9, ..event() }, 0), Err(DecodeError::UnknownKind(9)));
    for length in 0..wire::EVENT_SIZE {
        assert_eq!(decode(&vec![0; length], 0), Err(DecodeError::Truncated(length)));
    }
}

#[test]
fn time_is_the_events_own_and_never_wraps() {
    let time = |boot_time_ns, offset| {
        record(&wire_event { boot_time_ns, ..event() }, offset).unwrap().time_unix_nano
    };
    assert_eq!(time(5_000_000_000, 1_700_000_000_000_000_000), 1_700_000_005_000_000_000);
    assert_eq!(time(5_000_000_000, -6_000_000_000), 0);
    assert_eq!(time(u64::MAX, 1_700_000_000_000_000_000), u64::MAX);
}

#[test]
fn what_the_kernel_could_not_tell_is_none() {
    let unknown =
        wire_unknown::UNKNOWN_ERR.0 | wire_unknown::UNKNOWN_CGROUP.0 | wire_unknown::UNKNOWN_NETNS.0;
    let record = converted(wire_event { unknown, err: -16, ..event() });
    assert_eq!((record.errno(), record.amounts.failures), (None, 0));
    let flow = record.flow.unwrap();
    assert_eq!((flow.cgroup_id, flow.netns_inode, flow.socket_cookie), (None, None, Some(11)));
    let cookieless = converted(wire_event { unknown: wire_unknown::UNKNOWN_COOKIE.0, ..event() });
    assert_eq!(cookieless.flow.unwrap().socket_cookie, None);
}

#[test]
fn the_kernels_states() {
    let state = |state| converted(wire_event { state, ..event() }).flow.unwrap().state;
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
    let failed = |err| converted(wire_event { err, ..event() });
    let errno = |err| failed(err).errno();
    assert_eq!(errno(0), None);
    assert_eq!(errno(-16), Some(16));
    let error = |err| errno(err).map(|errno| ErrorType(errno).to_string());
    assert_eq!(error(-1).as_deref(), Some("EPERM"), "a firewall's drop");
    assert_eq!(error(1).as_deref(), Some("ENOBUFS"), "a queueing discipline's drop");
    assert_eq!(errno(i32::MIN), Some(i32::MIN), "absurd, and no panic");
    assert_eq!(failed(-16).amounts, Amounts { events: 1, segments: 2, bytes: 0, failures: 1 });
    assert_eq!(failed(-16).segment.unwrap().payload_bytes, 2896);
}

#[test]
fn no_round_trip_time_before_the_first_measurement() {
    let rtt = |srtt_us| converted(wire_event { srtt_us, ..event() }).tcp.unwrap().rtt;
    assert_eq!(rtt(0), None);
    assert_eq!(rtt(1500), Some(Duration::from_micros(1500)));
}

#[test]
fn each_reason_has_its_type_a_handshake_its_role_and_a_timeout_its_slow_start() {
    let (client, server) = (Some(HandshakeRole::Client), Some(HandshakeRole::Server));
    for (reason, retransmit_type, handshake_role, slow_start) in [
        (wire_reason::REASON_UNKNOWN.0, RetransmitType::Unknown, None, None),
        (wire_reason::REASON_FAST.0, RetransmitType::Fast, None, None),
        (wire_reason::REASON_TAIL_LOSS_PROBE.0, RetransmitType::TailLossProbe, None, None),
        (wire_reason::REASON_TIMEOUT.0, RetransmitType::Timeout, None, Some(false)),
        (wire_reason::REASON_SLOW_START.0, RetransmitType::Timeout, None, Some(true)),
        (wire_reason::REASON_SYN.0, RetransmitType::Handshake, client, None),
        (wire_reason::REASON_SYNACK.0, RetransmitType::Handshake, server, None),
        (7, RetransmitType::Unknown, None, None),
        (255, RetransmitType::Unknown, None, None),
    ] {
        let reason = reason as u8;
        let class = Class { network_type: NetworkType::Ipv4, retransmit_type, handshake_role, slow_start };
        // Congestion state and pending timer are information; they decide nothing.
        for (ca_state, pending_timer) in [(0, 0), (4, 1), (3, 5)] {
            let event = wire_event { reason, ca_state, pending_timer, ..event() };
            assert_eq!(converted(event).class, class, "{reason}");
        }
        let gap = gap(false, reason, Amounts::default(), 0);
        assert_eq!(gap.class, class, "a gap's, {reason}");
    }
}

#[test]
fn a_gap() {
    let amounts = Amounts { events: 12, segments: 200, bytes: 289_600, failures: 1 };
    let gap = gap(true, wire_reason::REASON_SLOW_START.0 as u8, amounts, 1_700_000_006_000_000_000);
    let expected = Record {
        time_unix_nano: 1_700_000_006_000_000_000,
        class: Class {
            network_type: NetworkType::Ipv6,
            retransmit_type: RetransmitType::Timeout,
            handshake_role: None,
            slow_start: Some(true),
        },
        amounts,
        identity: None,
        flow: None,
        segment: None,
        tcp: None,
        owner: None,
        local_attributes: None,
        peer_attributes: None,
    };
    assert_eq!(gap, expected);
}
