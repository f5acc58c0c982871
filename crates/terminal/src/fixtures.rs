//! Records for the unit tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::record::{
    Amounts, Bundle, Class, Command, Flow, Identity, NetworkType, Owner, Record, RetransmitType, Segment,
    TcpFlags, TcpSample, TcpState,
};

/// The record of an IPv4 segment that was retransmitted in fast recovery, 10.0.0.1:43210 -> 192.0.2.7:443.
pub(crate) fn record() -> Record {
    Record {
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
            local: SocketAddr::from(([10, 0, 0, 1], 43210)),
            peer: SocketAddr::from(([192, 0, 2, 7], 443)),
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
            total_retransmits: 9,
            segments_sent: 90,
            dsack_dups: 1,
        }),
        owner: Some(Owner { pid: 321, command: Command::from_kernel(*b"curl\0\0\0\0\0\0\0\0\0\0\0\0") }),
        local_attributes: None,
        peer_attributes: None,
    }
}

/// A gap of twelve IPv4 timeouts that were not seen.
pub(crate) fn gap() -> Record {
    Record {
        class: Class { retransmit_type: RetransmitType::Timeout, slow_start: Some(false), ..record().class },
        amounts: Amounts { events: 12, segments: 200, bytes: 289_600, failures: 1 },
        identity: None,
        flow: None,
        segment: None,
        tcp: None,
        owner: None,
        ..record()
    }
}

/// A bundle of text attributes, such as a processor would find.
pub(crate) fn bundle<const N: usize>(attributes: [(&str, &str); N]) -> Arc<Bundle> {
    Arc::new(attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}
