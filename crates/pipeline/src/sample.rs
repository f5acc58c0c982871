//! Events, records and ledgers for the unit tests.

#![allow(clippy::expect_used)]

use crate::books::{Ledger, LedgerKey, Signal};
use crate::flow::{FlowRecord, flow_record};
use crate::raw::{RawEvent, RawKind};

/// An IPv4 segment retransmitted in Recovery, 10.0.0.1:43210 -> 192.0.2.7:443.
pub(crate) fn event() -> RawEvent {
    RawEvent {
        boot_time_ns: 5_000_000_000,
        wall_offset_ns: 1_700_000_000_000_000_000,
        cpu: 1,
        sequence: 42,
        kind: RawKind::Segment,
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

/// A ledger in nobody's books.
pub(crate) fn ledger() -> Ledger {
    Ledger::detached(LedgerKey {
        pipeline: "logs".to_owned(),
        signal: Signal::Logs,
        exporter: Some("sink".to_owned()),
    })
}
