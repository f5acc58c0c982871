//! Names, values and misspelt names.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use strum::IntoEnumIterator;

use super::{Attribute, AttributeValue, errno, error_type};
use crate::flow::{FlowRecord, Gap, HandshakeRole, Record, RetransmitType};
use crate::sample::{gap, record, unseen};

fn shown(record: impl Into<Record>) -> BTreeMap<&'static str, String> {
    Attribute::all_of(&record.into())
        .map(|(attribute, value)| (attribute.name(), value.to_string()))
        .collect()
}

#[test]
fn values_of_a_record() {
    let expected = [
        ("linux.netns.inode", "13"),
        ("network.connection.state", "established"),
        ("network.local.address", "10.0.0.1"),
        ("network.local.port", "43210"),
        ("network.peer.address", "192.0.2.7"),
        ("network.peer.port", "443"),
        ("network.tcp.retransmit.type", "fast"),
        ("network.transport", "tcp"),
        ("network.type", "ipv4"),
        ("tcp.bytes", "2896"),
        ("tcp.cwnd", "10"),
        ("tcp.flags", "ACK|PSH"),
        ("tcp.mss", "1448"),
        ("tcp.rtt", "0.001500"),
        ("tcp.segments", "2"),
        ("tcp.seq", "7"),
        ("tcp.total_retransmits", "2"),
    ];
    assert_eq!(shown(record()), expected.map(|(name, value)| (name, value.to_owned())).into());
}

#[test]
fn what_a_record_lacks_it_does_not_show() {
    let bare = FlowRecord { rtt: None, netns_inode: None, errno: Some(16), ..record() };
    let shown = shown(bare);
    assert_eq!(shown["error.type"], "EBUSY");
    assert!(!shown.contains_key("tcp.rtt") && !shown.contains_key("linux.netns.inode"));
}

#[test]
fn values_of_a_gap() {
    let expected = [
        ("network.tcp.retransmit.type", "timeout"),
        ("network.transport", "tcp"),
        ("network.type", "ipv4"),
        ("tcp.bytes", "289600"),
        ("tcp.events", "12"),
        ("tcp.segments", "200"),
        ("tcp.slow_start", "false"),
    ];
    assert_eq!(shown(gap()), expected.map(|(name, value)| (name, value.to_owned())).into());
    let handshake = Gap {
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Server),
        ..gap()
    };
    let shown = shown(handshake);
    assert_eq!(shown["network.tcp.handshake.role"], "server");
    assert!(!shown.contains_key("tcp.slow_start"));
}

#[test]
fn the_slow_start_is_told_from_the_timers_own_and_of_nothing_else() {
    let timeout =
        |slow_start| FlowRecord { retransmit_type: RetransmitType::Timeout, slow_start, ..record() };
    assert_eq!(shown(timeout(true))["tcp.slow_start"], "true");
    assert_eq!(shown(timeout(false))["tcp.slow_start"], "false");
    assert!(!shown(record()).contains_key("tcp.slow_start"));
}

#[test]
fn what_was_found_without_its_skb_says_nothing_of_the_skb() {
    let (seen, unseen) = (shown(record()), shown(unseen()));
    let missing: Vec<_> = seen.keys().filter(|name| !unseen.contains_key(*name)).copied().collect();
    assert_eq!(missing, ["tcp.bytes", "tcp.flags", "tcp.seq"]);
    assert_eq!(
        (unseen["tcp.segments"].as_str(), unseen["network.peer.address"].as_str()),
        ("2", "192.0.2.7")
    );
    assert!(!unseen.contains_key("tcp.events"));
}

#[test]
fn names_round_trip_and_are_told_apart() {
    for attribute in Attribute::iter() {
        assert_eq!(attribute.name().parse(), Ok(attribute));
    }
    let error = "network.peer.adress".parse::<Attribute>().unwrap_err().to_string();
    assert_eq!(error, "unknown attribute `network.peer.adress`; did you mean `network.peer.address`?");
    let error = "colour".parse::<Attribute>().unwrap_err().to_string();
    assert!(error.contains("expected one of network.transport, "), "{error}");
}

#[test]
fn errors_have_names_both_ways() {
    assert_eq!((error_type(16), errno("EBUSY")), ("EBUSY".to_owned(), Some(16)));
    // ENOTSUPP, which never leaves the kernel, has no name in libc.
    assert_eq!((error_type(524), errno("524")), ("524".to_owned(), Some(524)));
    assert_eq!((errno("EBUZY"), errno("0")), (None, None));
}

#[test]
fn a_bounded_attribute_is_no_address() {
    for attribute in Attribute::iter().filter(|attribute| attribute.is_bounded()) {
        let value = attribute.of(&FlowRecord { errno: Some(16), ..record() }.into());
        assert!(!matches!(value, Some(AttributeValue::Address(_) | AttributeValue::Int(_))), "{attribute}");
    }
}
