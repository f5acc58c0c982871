//! What either kind of record says of itself.

use super::{Gap, Record};
use crate::flow::{FlowRecord, NetworkType, RetransmitType, TcpFlags};
use crate::sample::{gap, record, unseen};

#[test]
fn a_flow() {
    let sent = Record::from(record());
    assert_eq!((sent.event_name(), sent.is_gap()), ("tcp.retransmit", false));
    assert_eq!((sent.time_unix_nano(), sent.network_type()), (1_700_000_005_000_000_000, NetworkType::Ipv4));
    assert_eq!((sent.segments(), sent.skbs_sent(), sent.bytes_sent(), sent.failures()), (2, 1, 2896, 0));
    assert_eq!((sent.flags(), sent.errno()), (Some(TcpFlags(0x018)), None));
    let failed = Record::from(FlowRecord { errno: Some(16), ..record() });
    assert_eq!((failed.segments(), failed.skbs_sent(), failed.bytes_sent(), failed.failures()), (2, 0, 0, 1));
    assert_eq!((failed.event_name(), failed.errno()), ("tcp.retransmit", Some(16)));
}

#[test]
fn segments_without_their_skb() {
    let unseen = Record::from(unseen());
    assert_eq!((unseen.event_name(), unseen.is_gap()), ("tcp.retransmit.gap", true));
    assert_eq!((unseen.segments(), unseen.skbs_sent(), unseen.bytes_sent(), unseen.failures()), (2, 0, 0, 0));
    assert_eq!(unseen.flags(), None);
}

#[test]
fn a_gap() {
    let of = |gap: Gap| Record::from(gap);
    let timeouts = of(gap());
    assert_eq!((timeouts.event_name(), timeouts.is_gap()), ("tcp.retransmit.gap", true));
    let counted = (timeouts.segments(), timeouts.skbs_sent(), timeouts.bytes_sent(), timeouts.failures());
    assert_eq!(counted, (200, 11, 289_600, 1));
    assert_eq!((timeouts.flags(), timeouts.errno()), (None, None), "its failures are of any errno");
    assert_eq!(of(Gap { events: 0, ..gap() }).skbs_sent(), 0, "fewer than failed is none, and no wrap");
}

#[test]
fn only_a_timeout_has_a_slow_start() {
    for (retransmit_type, slow_start, expected) in [
        (RetransmitType::Timeout, true, Some(true)),
        (RetransmitType::Timeout, false, Some(false)),
        (RetransmitType::Fast, true, None),
        (RetransmitType::Unknown, false, None),
    ] {
        let flow = Record::from(FlowRecord { retransmit_type, slow_start, ..record() });
        let gap = Record::from(Gap { retransmit_type, slow_start, ..gap() });
        assert_eq!((flow.slow_start(), gap.slow_start()), (expected, expected), "{retransmit_type:?}");
    }
}
