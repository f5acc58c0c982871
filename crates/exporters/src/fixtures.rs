//! Records and points for unit tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::attribute::{Attribute, Key, OwnedValue};
use otel_tcpretrans_pipeline::metric::{MetricPoint, Reading, Temporality};
use otel_tcpretrans_pipeline::processors::RETRANSMITS;
use otel_tcpretrans_pipeline::record::{
    Amounts, Bundle, Class, Flow, HandshakeRole, Identity, NetworkType, Record, RetransmitType, Segment,
    TcpFlags, TcpSample, TcpState,
};

/// 2026-11-23T04:00:00Z
pub(crate) const START: u64 = 1_795_406_400_000_000_000;

pub(crate) fn record(number: u16) -> Record {
    Record {
        time_unix_nano: START + 1_500_000,
        class: Class {
            network_type: NetworkType::Ipv4,
            retransmit_type: RetransmitType::Timeout,
            handshake_role: None,
            slow_start: Some(false),
        },
        amounts: Amounts { events: 1, segments: 2, bytes: 2896, failures: 0 },
        identity: Some(Identity { cpu: 0, stream: 0, sequence: number.into() }),
        flow: Some(Flow {
            local: SocketAddr::from(([10, 0, 0, 1], 443)),
            peer: SocketAddr::from(([10, 0, 0, 2], 50_000 + number)),
            state: TcpState::Established,
            netns_inode: Some(4_026_531_840),
            cgroup_id: None,
            socket_cookie: None,
        }),
        segment: Some(Segment {
            flags: TcpFlags(TcpFlags::ACK | TcpFlags::PSH),
            sequence: number.into(),
            payload_bytes: 2896,
            errno: None,
        }),
        tcp: Some(TcpSample {
            rtt: Some(Duration::from_micros(12_500)),
            cwnd: 10,
            mss: 1448,
            total_retransmits: 3,
            segments_sent: 120,
            dsack_dups: 0,
        }),
        owner: None,
        local_attributes: None,
        peer_attributes: None,
    }
}

pub(crate) fn failed_syn() -> Record {
    Record {
        class: Class {
            network_type: NetworkType::Ipv6,
            retransmit_type: RetransmitType::Handshake,
            handshake_role: Some(HandshakeRole::Client),
            slow_start: None,
        },
        amounts: Amounts { events: 1, segments: 1, bytes: 0, failures: 1 },
        flow: Some(Flow {
            local: "[2001:db8::1]:40000".parse().expect("an address"),
            peer: "[2001:db8::2]:80".parse().expect("an address"),
            state: TcpState::SynSent,
            netns_inode: None,
            cgroup_id: None,
            socket_cookie: None,
        }),
        segment: Some(Segment {
            flags: TcpFlags(TcpFlags::SYN),
            sequence: 7,
            payload_bytes: 0,
            errno: Some(16),
        }),
        tcp: Some(TcpSample {
            rtt: None,
            cwnd: 1,
            mss: 536,
            total_retransmits: 0,
            segments_sent: 0,
            dsack_dups: 0,
        }),
        ..record(0)
    }
}

/// Segments that were found when the socket of `record(1)` ended.
pub(crate) fn unseen() -> Record {
    Record {
        class: Class { retransmit_type: RetransmitType::Unknown, slow_start: None, ..record(1).class },
        amounts: Amounts { segments: 2, ..Amounts::default() },
        identity: Some(Identity { cpu: 0, stream: 2, sequence: 0 }),
        segment: None,
        ..record(1)
    }
}

pub(crate) fn gap() -> Record {
    Record {
        time_unix_nano: START + 2_500_000,
        amounts: Amounts { events: 12, segments: 200, bytes: 289_600, failures: 1 },
        identity: None,
        flow: None,
        segment: None,
        tcp: None,
        ..record(0)
    }
}

/// `record(1)` with attributes that processors found for both of its sides.
pub(crate) fn enriched() -> Record {
    let bundle = |name: &str, value: OwnedValue| Arc::new(Bundle::from_iter([(name.into(), value)]));
    Record {
        local_attributes: Some(bundle("service.name", "shop".into())),
        peer_attributes: Some(bundle("peer.port.open", OwnedValue::Bool(true))),
        ..record(1)
    }
}

/// A total of `value`; 2 of it were added in the last 5 s.
pub(crate) fn point(value: u64) -> MetricPoint {
    MetricPoint {
        descriptor: &RETRANSMITS,
        attributes: Arc::new([
            (Key::Own(Attribute::NetworkType), OwnedValue::Word("ipv4")),
            (Key::Own(Attribute::RetransmitType), OwnedValue::Word("fast")),
        ]),
        time_unix_nano: START + 10_000_000_000,
        total: Reading { start_unix_nano: START, value },
        change: Reading { start_unix_nano: START + 5_000_000_000, value: 2 },
        temporality: Temporality::Cumulative,
    }
}
