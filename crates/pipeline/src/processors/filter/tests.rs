//! The grammar, what matches, and the errors for what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use tokio::time::Instant;

use super::condition::split;
use super::{Condition, FilterConfig};
use crate::attribute::{Key, OwnedValue};
use crate::component::FlowProcessor;
use crate::fixtures::{bundle, failed, gap, record, record_of, record_to, unseen};
use crate::record::{Bundle, Class, Flow, HandshakeRole, Record, RetransmitType};

fn condition(text: &str) -> Condition {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn matches(text: &str, record: &Record) -> bool {
    condition(text).matches(record)
}

fn error(text: &str) -> String {
    text.parse::<Condition>().expect_err(text).to_string()
}

fn to_peer(peer: &str) -> Record {
    record_to(peer.parse().unwrap())
}

#[test]
fn each_operator_on_each_type() {
    // The record: fast, established, 10.0.0.1:43210 -> 192.0.2.7:443, ACK|PSH, 2 segments, netns 13.
    let held = [
        "network.transport == tcp",
        "network.type == ipv4",
        "network.type != ipv6",
        "network.tcp.retransmit.type in [fast, timeout]",
        "network.tcp.retransmit.type not in [tail_loss_probe, handshake]",
        "network.connection.state == established",
        "network.connection.state not in fin_wait_1, fin_wait_2",
        "network.peer.port in [80, 443]",
        "network.peer.port == 443",
        "network.local.port != 443",
        "network.peer.address == 192.0.2.7",
        "network.peer.address == 192.0.2.0/24",
        "network.peer.address in 192.0.2.0/24",
        "network.peer.address in [2001:db8::/32, 192.0.2.7]",
        "network.peer.address != 10.0.0.0/8",
        "network.local.address not in [127.0.0.0/8, ::1]",
        "network.peer.address == ::ffff:192.0.2.7",
        "network.peer.address in ::ffff:192.0.2.0/120",
        "tcp.flags == PSH|ACK",
        "tcp.flags not in [SYN, SYN|ACK]",
        "tcp.segments == 2",
        "tcp.bytes in [2896]",
        "linux.netns.inode == 13",
    ];
    for text in held {
        assert!(matches(text, &record()), "{text}");
        // The opposite operator on the same value must not match.
        let opposite = match text {
            text if text.contains(" not in ") => text.replace(" not in ", " in "),
            text if text.contains(" in ") => text.replace(" in ", " not in "),
            text if text.contains("==") => text.replace("==", "!="),
            text => text.replace("!=", "=="),
        };
        assert!(!matches(&opposite, &record()), "{opposite}");
    }
}

#[test]
fn a_missing_attribute_never_matches() {
    let flow = record().flow.map(|flow| Flow { netns_inode: None, ..flow });
    let bare = Record { flow, ..record() };
    for text in [
        "linux.netns.inode == 13",
        "linux.netns.inode != 13",
        "linux.netns.inode not in [13]",
        "network.tcp.handshake.role == client",
        "network.tcp.handshake.role != client",
        "error.type == EBUSY",
        "error.type not in [EBUSY]",
    ] {
        assert!(!matches(text, &bare), "{text}");
    }
    let class = Class { handshake_role: Some(HandshakeRole::Server), ..record().class };
    let failed = Record { class, ..failed(16) };
    assert!(matches("error.type == EBUSY", &failed));
    assert!(matches("error.type != ENOBUFS", &failed));
    assert!(matches("network.tcp.handshake.role != client", &failed));
}

#[test]
fn a_gap_has_a_type_and_no_addresses() {
    for text in [
        "network.type == ipv4",
        "network.tcp.retransmit.type != fast",
        "tcp.events == 12",
        "tcp.segments in [200]",
        "tcp.slow_start == false",
    ] {
        assert!(matches(text, &gap()), "{text}");
    }
    for text in [
        "network.peer.address in 0.0.0.0/0",
        "network.peer.address not in 127.0.0.0/8",
        "network.local.port != 443",
        "network.connection.state != closed",
        "tcp.flags == none",
        "error.type != EBUSY",
    ] {
        assert!(!matches(text, &gap()), "{text}");
    }
    let records = [record(), gap()];
    assert_eq!(left("exclude: ['network.peer.address in 127.0.0.0/8']", &records), [443, 0]);
    assert_eq!(left("include: ['network.peer.address in 0.0.0.0/0']", &records), [443]);
    assert!(!matches("tcp.flags == none", &unseen()), "a record without its skb has no flags either");
}

#[test]
fn the_slow_start_is_true_or_false_on_timeouts_and_missing_elsewhere() {
    let slow = record_of(RetransmitType::Timeout, Some(true));
    for (text, expected) in [
        ("tcp.slow_start == true", true),
        ("tcp.slow_start != true", false),
        ("tcp.slow_start in [true, false]", true),
    ] {
        assert_eq!(matches(text, &slow), expected, "{text}");
        assert!(!matches(text, &record()), "{text}");
    }
}

#[test]
fn a_network_matches_addresses_of_its_own_family_only() {
    let loopback = to_peer("[::1]:443");
    assert!(matches("network.peer.address in [127.0.0.0/8, ::1/128]", &loopback));
    assert!(!matches("network.peer.address in 0.0.0.0/0", &loopback));
    assert!(!matches("network.peer.address in ::/0", &record()));
}

/// No processor finds attributes yet, so a configuration can't name them, and the test makes the conditions by hand.
#[test]
fn an_attribute_that_a_processor_found_is_compared_with_the_text() {
    let matches = |text: &str, record: &Record| {
        let parts = split(text).unwrap();
        Condition::on(Key::Found(parts.attribute.into()), text, &parts).unwrap().matches(record)
    };
    let peer = [("process.pid", OwnedValue::Int(80)), ("ready", OwnedValue::Bool(true))];
    let peer: Bundle = peer.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let found = Record {
        local_attributes: Some(bundle([("service.name", "shop"), ("version", "80")])),
        peer_attributes: Some(peer.into()),
        ..record()
    };
    for text in [
        "service.name == shop",
        "service.name in [shop, bank]",
        "service.name != bank",
        "version == 80",
        "process.pid == 80",
        "process.pid not in [8, eighty]",
        "ready == true",
    ] {
        assert!(matches(text, &found), "{text}");
        assert!(!matches(text, &record()), "{text}");
    }
    for text in ["service.name == bank", "service.name not in [shop]", "process.pid == 8", "ready != true"] {
        assert!(!matches(text, &found), "{text}");
    }
}

#[test]
fn what_it_asks_for_beyond_a_receivers_attributes_is_known() {
    let yaml = "{ include: [tcp.mss == 1, service.name == shop], exclude: ['zone in [a, b]'] }";
    let config: FilterConfig = serde_yaml::from_str(yaml).unwrap();
    let asks: Vec<_> = config.asks().map(|ask| (ask.path.clone(), ask.name, ask.before)).collect();
    let expected = [
        ("include.1".to_owned(), "service.name", "condition `service.name == shop`: ".to_owned()),
        ("exclude.0".to_owned(), "zone", "condition `zone in [a, b]`: ".to_owned()),
    ];
    assert_eq!(asks, expected);
}

#[test]
fn blanks_and_quotes_are_ignored() {
    for text in [
        "network.peer.port==443",
        "  network.peer.port  ==  443  ",
        "network.peer.port == \"443\"",
        "network.peer.port in[443]",
        "network.peer.port in [ '443' , 80 ]",
        "network.peer.port in 443,80",
        "network.peer.port not\tin [80]",
    ] {
        assert!(matches(text, &record()), "{text}");
    }
}

#[test]
fn a_condition_is_shown_as_it_was_written() {
    let yaml = "include: []\nexclude:\n- network.peer.port  in [80,443]\n";
    let config: FilterConfig = serde_yaml::from_str(yaml).unwrap();
    assert_eq!(serde_yaml::to_string(&config).unwrap(), yaml);
}

#[test]
fn texts_that_are_not_conditions_are_refused() {
    let grammar = "expected ATTRIBUTE (==|!=|in|not in) VALUE, such as `network.peer.port in [80, 443]`";
    for text in [
        "",
        "network.type",
        "network.type ipv4",
        "network.type = ipv4",
        "== 3",
        "network.type ==",
        "network.type in",
        "network.type inside [ipv4]",
        "network.type not [ipv4]",
        "network.peer.port > 3",
    ] {
        assert_eq!(error(text), format!("condition `{text}`: {grammar}"));
    }
    for text in ["network.peer.port in [80, 443", "network.peer.port in 80]", "network.peer.port in ["] {
        assert!(error(text).ends_with("the list's brackets don't match"), "{text}");
    }
    assert!(error("network.peer.port in [80,,443]").ends_with("a value is empty"));
    assert!(error("network.peer.port in []").ends_with("a value is empty"));
    for text in ["network.peer.port == [80, 443]", "network.peer.port != 80, 443"] {
        assert!(error(text).ends_with("take one value; for a list use `in` or `not in`"), "{text}");
    }
}

#[test]
fn misspelt_words_get_a_hint() {
    assert_eq!(
        error("network.tcp.retransmit.type == fst"),
        "condition `network.tcp.retransmit.type == fst`: `fst` is no value of network.tcp.retransmit.type; \
         expected one of fast, tail_loss_probe, timeout, handshake, unknown; did you mean `fast`?"
    );
}

#[test]
fn a_value_must_fit_its_attribute() {
    for (text, expected) in [
        ("network.peer.port == https", "expected a port, 0 to 65535"),
        ("network.peer.port == 65536", "expected a port, 0 to 65535"),
        ("network.peer.port in [80, -1]", "expected a port, 0 to 65535"),
        ("network.peer.address == 10.0.0.0/33", "expected an address or a network"),
        ("network.peer.address in localhost", "expected an address or a network"),
        ("tcp.segments == many", "expected a whole number, 0 to 4294967295"),
        ("tcp.flags == SYNACK", "expected flags such as SYN|ACK"),
        ("error.type == EWHATEVER", "expected an error's name, such as EBUSY"),
        ("network.transport == udp", "expected one of tcp"),
        ("network.type == IPv4", "expected one of ipv4, ipv6"),
        ("network.connection.state == open", "expected one of established, syn_sent, "),
        ("network.tcp.handshake.role == peer", "expected one of client, server"),
        ("tcp.slow_start == yes", "expected true or false"),
        ("tcp.rtt == 1", "no exact value matches"),
        ("otel.metric.overflow == true", "not on records"),
    ] {
        assert!(error(text).contains(expected), "{}", error(text));
    }
}

fn left(yaml: &str, records: &[Record]) -> Vec<u16> {
    let mut config: FilterConfig = serde_yaml::from_str(yaml).unwrap();
    assert!(config.validate().is_empty());
    let records = config.push(records.to_vec().into(), Instant::now());
    records.iter().map(|record| record.flow.map_or(0, |flow| flow.peer.port())).collect()
}

#[test]
fn one_match_in_a_list_is_enough_and_exclude_wins() {
    let records = ["192.0.2.1:80", "192.0.2.2:443", "127.0.0.1:22"].map(to_peer);
    assert_eq!(left("exclude: ['network.peer.address in 127.0.0.0/8']", &records), [80, 443]);
    let either = "include: ['network.peer.port == 80', 'network.peer.port == 22']";
    assert_eq!(left(either, &records), [80, 22]);
    let both =
        "{ include: ['network.peer.port in [80, 22]'], exclude: ['network.peer.address == 127.0.0.1'] }";
    assert_eq!(left(both, &records), [80]);
    assert_eq!(left("include: ['linux.netns.inode != 13']", &records), Vec::<u16>::new());
}

#[test]
fn configuration() {
    let empty: FilterConfig = serde_yaml::from_str("{}").unwrap();
    assert!(empty.validate()[0].message.contains("at least one condition"));
    assert!(serde_yaml::from_str::<FilterConfig>("keep: []").is_err());
    let error = serde_yaml::from_str::<FilterConfig>("exclude: ['network.peer.port = 3']").unwrap_err();
    assert!(error.to_string().contains("condition `network.peer.port = 3`: expected"), "{error}");
}
