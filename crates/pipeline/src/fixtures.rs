//! Records and ledgers for the unit tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::attribute::{Attribute, OwnedValue};
use crate::books::{Ledger, LedgerKey, Signal};
use crate::chunk::{CHUNK, Chunk, Sender};
use crate::metric::{MetricPoint, Reading, Temporality};
use crate::processors::RETRANSMITS;
use crate::record::{
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
            total_retransmits: 2,
            segments_sent: 90,
            dsack_dups: 1,
        }),
        owner: Some(Owner { pid: 321, command: Command::from_kernel(*b"curl\0\0\0\0\0\0\0\0\0\0\0\0") }),
        local_attributes: None,
        peer_attributes: None,
    }
}

/// Like [`record`], but to another peer.
pub(crate) fn record_to(peer: SocketAddr) -> Record {
    Record { flow: record().flow.map(|flow| Flow { peer, ..flow }), ..record() }
}

/// Like [`record`], but for another reason.
pub(crate) fn record_of(retransmit_type: RetransmitType, slow_start: Option<bool>) -> Record {
    Record { class: Class { retransmit_type, slow_start, ..record().class }, ..record() }
}

/// Like [`record`], but for an attempt that the kernel counted and failed to send.
pub(crate) fn failed(errno: i32) -> Record {
    Record {
        amounts: Amounts { bytes: 0, failures: 1, ..record().amounts },
        segment: record().segment.map(|segment| Segment { errno: Some(errno), ..segment }),
        ..record()
    }
}

/// A gap of twelve IPv4 timeouts that were not seen. One of them failed.
pub(crate) fn gap() -> Record {
    Record {
        time_unix_nano: 1_700_000_006_000_000_000,
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

/// Two segments that were found when the socket of [`record`] ended.
pub(crate) fn unseen() -> Record {
    Record {
        class: Class { retransmit_type: RetransmitType::Unknown, ..record().class },
        amounts: Amounts { segments: 2, ..Amounts::default() },
        segment: None,
        ..record()
    }
}

/// A bundle of text attributes, such as a processor would find.
pub(crate) fn bundle<const N: usize>(attributes: [(&str, &str); N]) -> Arc<Bundle> {
    Arc::new(attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// A ledger that is not in any books.
pub(crate) fn ledger() -> Ledger {
    Ledger::detached(LedgerKey {
        pipeline: "logs".to_owned(),
        signal: Signal::Logs,
        exporter: Some("sink".to_owned()),
    })
}

/// A point of a series that began 10 s after the epoch, at the end of a window from 20 s to 30 s.
pub(crate) fn point(total: u64, change: u64) -> MetricPoint {
    MetricPoint {
        descriptor: &RETRANSMITS,
        attributes: Arc::new([(Attribute::NetworkType.into(), OwnedValue::Word("ipv4"))]),
        time_unix_nano: 30_000_000_000,
        total: Reading { start_unix_nano: 10_000_000_000, value: total },
        change: Reading { start_unix_nano: 20_000_000_000, value: change },
        temporality: Temporality::Cumulative,
    }
}

/// Sends items in full chunks, as a receiver does that has many. There must be room for all of them.
pub(crate) fn send<T>(out: &Sender<T>, items: impl IntoIterator<Item = T>) {
    let mut items: Chunk<T> = items.into_iter().collect();
    while !items.is_empty() {
        let chunk = items.split_to(CHUNK.min(items.len()));
        let room = out.try_reserve(chunk.len()).unwrap();
        assert_eq!(room.len(), chunk.len(), "no room");
        assert!(out.send(room, chunk).is_ok(), "closed");
    }
}
