//! Which attributes each kind of record has, and their values.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use strum::IntoEnumIterator;

use crate::attribute::{Attribute, Key, Value};
use crate::fixtures::{bundle, failed, gap, record, record_of, unseen};
use crate::record::{Class, Flow, HandshakeRole, Record, RetransmitType, TcpFlags, TcpSample};

fn shown(record: &Record) -> BTreeMap<&str, String> {
    record.attributes().map(|(name, value)| (name, value.to_string())).collect()
}

fn expected<const N: usize>(values: [(&'static str, &str); N]) -> BTreeMap<&'static str, String> {
    values.map(|(name, value)| (name, value.to_owned())).into()
}

#[test]
fn values_of_a_record() {
    let values = [
        ("linux.netns.inode", "13"),
        ("network.connection.state", "established"),
        ("network.local.address", "10.0.0.1"),
        ("network.local.port", "43210"),
        ("network.peer.address", "192.0.2.7"),
        ("network.peer.port", "443"),
        ("network.tcp.retransmit.type", "fast"),
        ("network.transport", "tcp"),
        ("network.type", "ipv4"),
        ("process.command", "curl"),
        ("process.pid", "321"),
        ("tcp.bytes", "2896"),
        ("tcp.cwnd", "10"),
        ("tcp.dsack_dups", "1"),
        ("tcp.flags", "ACK|PSH"),
        ("tcp.mss", "1448"),
        ("tcp.rtt", "0.001500"),
        ("tcp.segments", "2"),
        ("tcp.segments_sent", "90"),
        ("tcp.seq", "7"),
        ("tcp.total_retransmits", "2"),
    ];
    assert_eq!(shown(&record()), expected(values));
}

#[test]
fn a_record_shows_no_attribute_that_it_lacks() {
    let failed = failed(16);
    let flow = failed.flow.map(|flow| Flow { netns_inode: None, ..flow });
    let tcp = failed.tcp.map(|tcp| TcpSample { rtt: None, ..tcp });
    let bare = Record { flow, tcp, ..failed };
    let shown = shown(&bare);
    assert_eq!(shown["error.type"], "EBUSY");
    assert!(!shown.contains_key("tcp.rtt") && !shown.contains_key("linux.netns.inode"));
}

#[test]
fn a_failed_attempt_shows_the_payload_that_the_sums_do_not_count() {
    let failed = failed(16);
    assert_eq!(failed.get(&Attribute::Bytes.into()), Some(Value::Int(2896)));
    assert_eq!(failed.amounts.bytes, 0);
}

#[test]
fn values_of_a_gap() {
    let values = [
        ("network.tcp.retransmit.type", "timeout"),
        ("network.transport", "tcp"),
        ("network.type", "ipv4"),
        ("tcp.bytes", "289600"),
        ("tcp.events", "12"),
        ("tcp.failures", "1"),
        ("tcp.segments", "200"),
        ("tcp.slow_start", "false"),
    ];
    assert_eq!(shown(&gap()), expected(values));
    let class = Class {
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Server),
        slow_start: None,
        ..gap().class
    };
    let handshake = Record { class, ..gap() };
    let shown = shown(&handshake);
    assert_eq!(shown["network.tcp.handshake.role"], "server");
    assert!(!shown.contains_key("tcp.slow_start"));
}

#[test]
fn slow_start_is_true_or_false_on_timeouts_and_missing_elsewhere() {
    let slow_start = |of| {
        record_of(RetransmitType::Timeout, Some(of)).get(&Attribute::SlowStart.into())
            == Some(Value::Bool(of))
    };
    assert!(slow_start(true) && slow_start(false));
    assert_eq!(record().get(&Attribute::SlowStart.into()), None);
}

#[test]
fn segments_found_without_their_skb_lack_the_attributes_of_the_skb() {
    let (seen, unseen) = (record(), unseen());
    let (seen, unseen) = (shown(&seen), shown(&unseen));
    let missing: Vec<_> = seen.keys().filter(|name| !unseen.contains_key(*name)).copied().collect();
    assert_eq!(missing, ["tcp.bytes", "tcp.flags", "tcp.seq"]);
    assert_eq!(
        (unseen["tcp.segments"].as_str(), unseen["network.peer.address"].as_str()),
        ("2", "192.0.2.7")
    );
    assert!(!unseen.contains_key("tcp.events"));
}

#[test]
fn attributes_that_processors_found_follow_the_records_own() {
    let local = bundle([("service.name", "shop"), ("host.name", "here")]);
    let peer = bundle([("peer.service.name", "bank"), ("host.name", "there")]);
    let own = record().attributes().count();
    let record = Record { local_attributes: Some(local), peer_attributes: Some(peer), ..record() };
    let found: Vec<_> =
        record.attributes().skip(own).map(|(name, value)| (name, value.to_string())).collect();
    let expected = [
        ("service.name", "shop"),
        ("host.name", "here"),
        ("peer.service.name", "bank"),
        ("host.name", "there"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name, value.to_owned())));
    let get = |name: &str| record.get(&Key::Found(name.into())).map(|value| value.to_string());
    assert_eq!(get("peer.service.name").as_deref(), Some("bank"));
    assert_eq!(get("host.name").as_deref(), Some("here"), "the local side wins");
    assert_eq!(get("service"), None);
    assert_eq!(get("tcp.mss"), None, "no processor found it");
    assert_eq!(record.clone().get(&Attribute::Mss.into()), Some(Value::Int(1448)));
}

#[test]
fn flags_and_errnos_are_values_of_their_own_types() {
    assert_eq!(record().get(&Attribute::Flags.into()), Some(Value::Flags(TcpFlags(0x018))));
    assert_eq!(failed(16).get(&Attribute::ErrorType.into()), Some(Value::Errno(16)));
    assert_eq!(Value::Errno(16).to_string(), "EBUSY");
}

/// Those that take few values on any host, so that a metric may have them by default.
fn is_bounded(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::NetworkTransport
            | Attribute::NetworkType
            | Attribute::RetransmitType
            | Attribute::HandshakeRole
            | Attribute::ConnectionState
            | Attribute::ErrorType
            | Attribute::MetricOverflow
    )
}

#[test]
fn no_bounded_attribute_is_an_address_or_a_number() {
    let failed = failed(16);
    for attribute in Attribute::iter().filter(|attribute| is_bounded(*attribute)) {
        let value = failed.get(&attribute.into());
        assert!(!matches!(value, Some(Value::Address(_) | Value::Int(_))), "{attribute}");
    }
}
