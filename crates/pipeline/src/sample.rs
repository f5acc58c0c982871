//! Events, records and ledgers for the unit tests.

#![allow(clippy::expect_used)]

use crate::books::{Ledger, LedgerKey, Signal};
use crate::flow::{FlowRecord, Gap, flow_record};
use crate::raw::{RawEvent, RawGap, RawKind, RawReason};

/// An IPv4 segment retransmitted in Recovery, 10.0.0.1:43210 -> 192.0.2.7:443.
pub(crate) fn event() -> RawEvent {
    RawEvent {
        boot_time_ns: 5_000_000_000,
        wall_offset_ns: 1_700_000_000_000_000_000,
        cpu: 1,
        sequence: 42,
        kind: RawKind::Segment,
        reason: RawReason::Fast,
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
        ca_state: 3,
        pending_timer: 1,
        srtt_us: 1500,
        cwnd: 10,
        mss: 1448,
        total_retransmits: 2,
        err: Some(0),
        socket_cookie: Some(11),
        cgroup_id: Some(12),
        netns_inode: Some(13),
    }
}

/// The record of [`event`].
pub(crate) fn record() -> FlowRecord {
    flow_record(&event()).expect("the sample event is IPv4")
}

/// Twelve IPv4 timeouts that were not seen, one of which failed.
pub(crate) fn raw_gap() -> RawGap {
    RawGap {
        time_unix_nano: 1_700_000_006_000_000_000,
        ipv6: false,
        reason: RawReason::Timeout,
        events: 12,
        segments: 200,
        bytes: 289_600,
        failures: 1,
    }
}

/// The record of [`raw_gap`].
pub(crate) fn gap() -> Gap {
    raw_gap().into()
}

/// Two segments that were found when the socket of [`event`] ended.
pub(crate) fn unseen() -> FlowRecord {
    let skbless =
        RawEvent { tcp_flags: 0, tcp_sequence: 0, payload_bytes: 0, skb_segments: 0, err: None, ..event() };
    flow_record(&RawEvent { kind: RawKind::Unseen, reason: RawReason::Unknown, ..skbless })
        .expect("the sample event is IPv4")
}

/// A ledger in nobody's books.
pub(crate) fn ledger() -> Ledger {
    Ledger::detached(LedgerKey {
        pipeline: "logs".to_owned(),
        signal: Signal::Logs,
        exporter: Some("sink".to_owned()),
    })
}
