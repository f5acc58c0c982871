//! Records and points for unit tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::attribute::{Attribute, AttributeValue};
use otel_tcpretrans_pipeline::flow::{
    FlowRecord, Gap, HandshakeRole, NetworkType, RecordIdentity, RetransmitType, TcpFlags, TcpState,
};
use otel_tcpretrans_pipeline::metric::{Metric, MetricPoint, Temporality};
use otel_tcpretrans_pipeline::raw::RawKind;

/// 2026-11-23T04:00:00Z
pub(crate) const START: u64 = 1_795_406_400_000_000_000;

pub(crate) fn record(number: u16) -> FlowRecord {
    FlowRecord {
        identity: RecordIdentity { cpu: 0, kind: RawKind::Segment, sequence: number.into() },
        time_unix_nano: START + 1_500_000,
        local: SocketAddr::from(([10, 0, 0, 1], 443)),
        peer: SocketAddr::from(([10, 0, 0, 2], 50_000 + number)),
        state: TcpState::Established,
        flags: TcpFlags(TcpFlags::ACK | TcpFlags::PSH),
        retransmit_type: RetransmitType::Timeout,
        slow_start: false,
        handshake_role: None,
        segments: 2,
        bytes: 2896,
        sequence: number.into(),
        rtt: Some(Duration::from_micros(12_500)),
        cwnd: 10,
        mss: 1448,
        total_retransmits: 3,
        netns_inode: Some(4_026_531_840),
        cgroup_id: None,
        socket_cookie: None,
        errno: None,
    }
}

pub(crate) fn failed_syn() -> FlowRecord {
    FlowRecord {
        local: "[2001:db8::1]:40000".parse().expect("an address"),
        peer: "[2001:db8::2]:80".parse().expect("an address"),
        state: TcpState::SynSent,
        flags: TcpFlags(TcpFlags::SYN),
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Client),
        segments: 1,
        bytes: 0,
        sequence: 7,
        rtt: None,
        cwnd: 1,
        mss: 536,
        total_retransmits: 0,
        netns_inode: None,
        errno: Some(16),
        ..record(0)
    }
}

/// Segments that were found when the socket of `record(1)` ended.
pub(crate) fn unseen() -> FlowRecord {
    FlowRecord {
        identity: RecordIdentity { cpu: 0, kind: RawKind::Unseen, sequence: 0 },
        flags: TcpFlags::default(),
        retransmit_type: RetransmitType::Unknown,
        bytes: 0,
        sequence: 0,
        ..record(1)
    }
}

pub(crate) fn gap() -> Gap {
    Gap {
        time_unix_nano: START + 2_500_000,
        network_type: NetworkType::Ipv4,
        retransmit_type: RetransmitType::Timeout,
        slow_start: false,
        handshake_role: None,
        events: 12,
        segments: 200,
        bytes: 289_600,
        failures: 1,
    }
}

pub(crate) fn point(value: u64) -> MetricPoint {
    MetricPoint {
        metric: Metric::Retransmits,
        attributes: Arc::new([
            (Attribute::NetworkType, AttributeValue::Word("ipv4")),
            (Attribute::RetransmitType, AttributeValue::Word("fast")),
        ]),
        temporality: Temporality::Cumulative,
        start_unix_nano: START,
        time_unix_nano: START + 10_000_000_000,
        value,
    }
}
