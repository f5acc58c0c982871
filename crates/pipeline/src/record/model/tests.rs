//! What each kind of record says about itself.

use crate::fixtures::{failed, gap, record, unseen};
use crate::record::Amounts;

#[test]
fn a_retransmission() {
    let sent = record();
    assert_eq!((sent.event_name(), sent.is_gap(), sent.errno()), ("tcp.retransmit", false, None));
    assert_eq!((sent.amounts.sent(), sent.amounts.bytes), (1, 2896));
    let failed = failed(16);
    assert_eq!((failed.event_name(), failed.is_gap(), failed.errno()), ("tcp.retransmit", false, Some(16)));
    assert_eq!((failed.amounts.sent(), failed.amounts.bytes), (0, 0));
}

#[test]
fn segments_without_their_skb() {
    let unseen = unseen();
    assert_eq!((unseen.event_name(), unseen.is_gap(), unseen.errno()), ("tcp.retransmit.gap", true, None));
    assert_eq!(unseen.amounts.sent(), 0);
}

#[test]
fn a_gap() {
    let gap = gap();
    assert_eq!((gap.event_name(), gap.is_gap(), gap.errno()), ("tcp.retransmit.gap", true, None));
    assert_eq!(gap.amounts.sent(), 11);
    let all_failed = Amounts { events: 0, failures: 1, ..gap.amounts };
    assert_eq!(all_failed.sent(), 0, "the difference stops at 0 and does not wrap");
}
