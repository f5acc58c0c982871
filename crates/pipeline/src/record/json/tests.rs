//! What a line has, and that a record comes back from it.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use strum::{IntoEnumIterator, VariantNames};

use super::*;
use crate::fixtures;
use crate::record::{
    Amounts, Bundle, Class, Command, Flow, HandshakeRole, NetworkType, Owner, Record, RetransmitType,
    Segment, TcpFlags, TcpSample, TcpState,
};

fn line(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, record);
    assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1), "one line");
    out
}

fn parsed(record: &Record) -> Value {
    serde_json::from_slice(&line(record)).unwrap()
}

#[test]
fn a_record_is_an_object_with_the_attributes_of_its_log_record() {
    let record = fixtures::record();
    let object = parsed(&record);
    assert_eq!(object["time"], "2023-11-14T22:13:25.000000000Z");
    assert_eq!(object["event_name"], "tcp.retransmit");
    assert_eq!(object["network.peer.address"], "192.0.2.7");
    assert_eq!(object["network.peer.port"], 443);
    assert_eq!(object["tcp.rtt"], 0.0015);
    assert_eq!(object["tcp.flags"], "ACK|PSH");
    assert_eq!(object["process.command"], "curl");
    let names: Vec<_> = record.attributes().map(|(name, _)| name).collect();
    assert_eq!(object.as_object().unwrap().len(), names.len() + 2);
    assert!(names.iter().all(|name| object.get(name).is_some()), "{object}");
}

#[test]
fn what_others_have_chosen_is_escaped() {
    let owner = Owner { pid: 1, command: Command::from_kernel(*b"a\"b\\c\x1b]0;\0\0\0\0\0\0\0") };
    let local_attributes = Some(fixtures::bundle([("a \"name\"", "two\nlines")]));
    let record = Record { owner: Some(owner), local_attributes, ..fixtures::record() };
    let object = parsed(&record);
    assert_eq!(object["process.command"], "a\"b\\c?]0;");
    assert_eq!(object["a \"name\""], "two\nlines");
}

#[test]
fn a_failed_attempt_and_a_gap_are_told_apart() {
    assert_eq!(parsed(&fixtures::failed(16))["error.type"], "EBUSY");
    let gap = parsed(&fixtures::gap());
    assert_eq!((&gap["event_name"], &gap["tcp.events"]), (&json!("tcp.retransmit.gap"), &json!(12)));
    assert_eq!(gap.get("network.peer.address"), None);
}

/// The record without what its line does not say.
fn told(record: Record) -> Record {
    let flow = record.flow.map(|flow| Flow { cgroup_id: None, socket_cookie: None, ..flow });
    Record { identity: None, flow, ..record }
}

#[test]
fn a_record_comes_back_from_its_line() {
    for record in [fixtures::record(), fixtures::gap(), fixtures::unseen(), fixtures::failed(105)] {
        assert_eq!(read(&line(&record)).unwrap(), told(record));
    }
}

#[test]
fn what_is_no_record_is_refused_with_the_place() {
    let problem = |change: fn(&mut serde_json::Map<String, Value>)| {
        let mut object = parsed(&fixtures::record());
        change(object.as_object_mut().unwrap());
        read(object.to_string().as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(problem(|object| drop(object.remove("network.type"))), "network.type is missing");
    assert_eq!(problem(|object| drop(object.remove("time"))), "time is missing");
    let wrong = problem(|object| drop(object.insert("tcp.cwnd".to_owned(), json!(-1))));
    assert_eq!(wrong, "tcp.cwnd: expected a whole number, found -1");
    let wrong = problem(|object| drop(object.insert("network.peer.address".to_owned(), json!("here"))));
    assert!(wrong.starts_with("network.peer.address: \"here\" is not expected"), "{wrong}");
    assert!(read(b"[]").unwrap_err().to_string().starts_with("not a JSON object"));
}

fn class() -> impl Strategy<Value = Class> {
    let role = option::of(select(vec![HandshakeRole::Client, HandshakeRole::Server]));
    let reason = select(RetransmitType::iter().collect::<Vec<_>>());
    (select(vec![NetworkType::Ipv4, NetworkType::Ipv6]), reason, role, option::of(any::<bool>())).prop_map(
        |(network_type, retransmit_type, handshake_role, slow_start)| Class {
            network_type,
            retransmit_type,
            handshake_role,
            slow_start,
        },
    )
}

fn flow() -> impl Strategy<Value = Flow> {
    let state = select(TcpState::VARIANTS).prop_map(|word| word.parse::<TcpState>().unwrap());
    (any::<([u8; 16], u16)>(), any::<([u8; 4], u16)>(), state, option::of(any::<u32>())).prop_map(
        |(local, peer, state, netns_inode)| Flow {
            local: SocketAddr::from(local),
            peer: SocketAddr::from(peer),
            state,
            netns_inode,
            cgroup_id: None,
            socket_cookie: None,
        },
    )
}

fn segment() -> impl Strategy<Value = Segment> {
    (0..0x200_u16, any::<u32>(), any::<u32>(), option::of(1..600)).prop_map(
        |(flags, sequence, payload_bytes, errno)| Segment {
            flags: TcpFlags(flags),
            sequence,
            payload_bytes,
            errno,
        },
    )
}

fn sample() -> impl Strategy<Value = TcpSample> {
    (option::of(any::<u32>()), any::<[u32; 5]>()).prop_map(
        |(rtt, [cwnd, mss, total_retransmits, segments_sent, dsack_dups])| TcpSample {
            rtt: rtt.map(|microseconds| Duration::from_micros(microseconds.into())),
            cwnd,
            mss,
            total_retransmits,
            segments_sent,
            dsack_dups,
        },
    )
}

fn found() -> impl Strategy<Value = Option<Arc<Bundle>>> {
    option::of("\\PC{1,9}").prop_map(|text| {
        text.map(|text| fixtures::bundle([("k8s.pod.name", text.as_str()), ("systemd.unit.name", "a\"\n")]))
    })
}

fn owner() -> impl Strategy<Value = Owner> {
    any::<(u32, [u8; 16])>().prop_map(|(pid, comm)| Owner { pid, command: Command::from_kernel(comm) })
}

proptest! {
    #[test]
    fn every_record_of_a_connection_comes_back(
        (time, class, flow, segments) in (0..u64::MAX / 2, class(), flow(), 0..1_000_000_u64),
        (segment, tcp) in (segment(), option::of(sample())),
        (owner, local_attributes) in (option::of(owner()), found()),
    ) {
        let failures = u64::from(segment.errno.is_some());
        let bytes = if failures == 0 { segment.payload_bytes.into() } else { 0 };
        let record = Record {
            time_unix_nano: time,
            class,
            amounts: Amounts { events: 1, segments, bytes, failures },
            identity: None,
            flow: Some(flow),
            segment: Some(segment),
            tcp,
            owner,
            local_attributes,
            peer_attributes: None,
        };
        prop_assert_eq!(read(&line(&record)).unwrap(), record);
    }

    #[test]
    fn whatever_the_bytes_are_it_does_not_panic(bytes in any::<Vec<u8>>(), at in 0..400_usize) {
        let _ = read(&bytes);
        let mut line = line(&fixtures::record());
        let at = at % line.len();
        line.splice(at..at + 1, bytes);
        let _ = read(&line);
    }
}
