//! What log records and points must be, made with prost's types and `std::fmt`; and arbitrary records and points.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::{NumberDataPoint, number_data_point};
use otel_tcpretrans_pipeline::attribute::{self, Attribute, ErrorType, Key, OwnedValue};
use otel_tcpretrans_pipeline::metric::{MetricPoint, Number, Reading};
use otel_tcpretrans_pipeline::record::{
    Amounts, Bundle, Class, Command, Flow, HandshakeRole, NetworkType, Owner, Record, RetransmitType,
    Segment, TcpFlags, TcpSample, TcpState,
};
use proptest::option;
use proptest::prelude::*;

use crate::fixtures;

pub(crate) fn log_record(record: &Record, observed: u64, body: bool) -> LogRecord {
    let warning = record.errno().is_some() || record.segment.is_none();
    let (severity, severity_text) =
        if warning { (SeverityNumber::Warn, "WARN") } else { (SeverityNumber::Info, "INFO") };
    LogRecord {
        time_unix_nano: record.time_unix_nano,
        observed_time_unix_nano: observed,
        severity_number: severity.into(),
        severity_text: severity_text.to_owned(),
        body: body.then(|| any_value(Value::StringValue(line(record)))),
        attributes: record.attributes().map(|(name, value)| key_value(name, value)).collect(),
        event_name: record.event_name().to_owned(),
        ..Default::default()
    }
}

pub(crate) fn data_point(point: &MetricPoint) -> NumberDataPoint {
    let Reading { start_unix_nano, value } = point.reading();
    let attributes = point.attributes.iter().map(|(key, value)| key_value(key.name(), value.value()));
    NumberDataPoint {
        attributes: attributes.collect(),
        start_time_unix_nano: start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        value: Some(match point.descriptor.kind.number(value) {
            Number::Int(number) => number_data_point::Value::AsInt(number),
            Number::Double(number) => number_data_point::Value::AsDouble(number),
        }),
        ..Default::default()
    }
}

fn key_value(name: &str, value: attribute::Value<'_>) -> KeyValue {
    let value = match value {
        attribute::Value::Int(number) => Value::IntValue(number),
        attribute::Value::Seconds(time) => Value::DoubleValue(time.as_secs_f64()),
        attribute::Value::Bool(truth) => Value::BoolValue(truth),
        text => Value::StringValue(text.to_string()),
    };
    KeyValue { key: name.to_owned(), value: Some(any_value(value)), ..Default::default() }
}

pub(crate) fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// The readable line of a record.
pub(crate) fn line(record: &Record) -> String {
    let Record { class, amounts, flow, segment, tcp, owner, .. } = record;
    let mut line = <&str>::from(class.network_type).to_owned();
    let mut add = |text: std::fmt::Arguments<'_>| line.write_fmt(text).expect("a String takes everything");
    if let Some(flow) = flow {
        add(format_args!(" {} -> {}", flow.local, flow.peer));
    }
    if segment.is_none() {
        add(format_args!(" gap"));
    }
    add(format_args!(" {}", <&str>::from(class.retransmit_type)));
    if let Some(role) = class.handshake_role {
        add(format_args!("({})", <&str>::from(role)));
    } else if class.slow_start == Some(true) {
        add(format_args!("(slow_start)"));
    }
    let Some(flow) = flow else {
        let Amounts { events, segments, bytes, failures } = amounts;
        add(format_args!(" events={events} segments={segments} bytes={bytes}"));
        if *failures > 0 {
            add(format_args!(" failed={failures}"));
        }
        return line;
    };
    add(format_args!(" {}", <&str>::from(flow.state)));
    if let Some(segment) = segment {
        add(format_args!(" {}", segment.flags));
    }
    add(format_args!(" segments={}", amounts.segments));
    if let Some(segment) = segment {
        add(format_args!(" bytes={} seq={}", segment.payload_bytes, segment.sequence));
    }
    if let Some(tcp) = tcp {
        if let Some(rtt) = tcp.rtt {
            add(format_args!(" rtt={:.3}ms", rtt.as_secs_f64() * 1e3));
        }
        add(format_args!(" cwnd={} mss={} total={}", tcp.cwnd, tcp.mss, tcp.total_retransmits));
    }
    if let Some(owner) = owner {
        add(format_args!(" pid={} command={}", owner.pid, owner.command));
    }
    if let Some(errno) = segment.and_then(|segment| segment.errno) {
        add(format_args!(" failed={}", ErrorType(errno)));
    }
    line
}

/// Records with any of their parts, any values, and any attributes of processors.
pub(crate) fn records() -> impl Strategy<Value = Record> {
    let parts = (option::of(flows()), option::of(segments()), option::of(samples()), option::of(owners()));
    let bundles = (option::of(bundles()), option::of(bundles()));
    (any::<u64>(), classes(), amounts(), parts, bundles).prop_map(
        |(time_unix_nano, class, amounts, (flow, segment, tcp, owner), (local, peer))| Record {
            time_unix_nano,
            class,
            amounts,
            flow,
            segment,
            tcp,
            owner,
            local_attributes: local.map(Arc::new),
            peer_attributes: peer.map(Arc::new),
            ..fixtures::record(0)
        },
    )
}

/// Points with any values and any attributes.
pub(crate) fn points() -> impl Strategy<Value = MetricPoint> {
    let keys = prop_oneof![
        Just(Key::Own(Attribute::PeerAddress)),
        Just(Key::Own(Attribute::MetricOverflow)),
        "[a-z.]{0,200}".prop_map(|name| Key::Found(name.into())),
    ];
    let attributes = proptest::collection::vec((keys, values()), 0..6);
    (attributes, any::<[u64; 3]>()).prop_map(|(attributes, [time_unix_nano, start_unix_nano, value])| {
        let total = Reading { start_unix_nano, value };
        MetricPoint { attributes: attributes.into(), time_unix_nano, total, ..fixtures::point(0) }
    })
}

fn classes() -> impl Strategy<Value = Class> {
    use RetransmitType::{Fast, Handshake, TailLossProbe, Timeout, Unknown};
    (
        proptest::sample::select(&[NetworkType::Ipv4, NetworkType::Ipv6][..]),
        proptest::sample::select(&[Fast, TailLossProbe, Timeout, Handshake, Unknown][..]),
        option::of(proptest::sample::select(&[HandshakeRole::Client, HandshakeRole::Server][..])),
        any::<Option<bool>>(),
    )
        .prop_map(|(network_type, retransmit_type, handshake_role, slow_start)| Class {
            network_type,
            retransmit_type,
            handshake_role,
            slow_start,
        })
}

fn amounts() -> impl Strategy<Value = Amounts> {
    let amount = || prop_oneof![0..300_u64, any::<u64>()];
    (amount(), amount(), amount(), amount()).prop_map(|(events, segments, bytes, failures)| Amounts {
        events,
        segments,
        bytes,
        failures,
    })
}

fn flows() -> impl Strategy<Value = Flow> {
    use TcpState::{Established, FinWait2, SynReceived};
    let states = proptest::sample::select(&[Established, FinWait2, SynReceived][..]);
    (any::<[SocketAddr; 2]>(), states, any::<Option<u32>>()).prop_map(
        |([local, peer], state, netns_inode)| Flow {
            local,
            peer,
            state,
            netns_inode,
            cgroup_id: None,
            socket_cookie: None,
        },
    )
}

fn segments() -> impl Strategy<Value = Segment> {
    (any::<u16>(), any::<u32>(), any::<u32>(), option::of(1..4096_i32)).prop_map(
        |(flags, sequence, payload_bytes, errno)| Segment {
            flags: TcpFlags(flags),
            sequence,
            payload_bytes,
            errno,
        },
    )
}

fn samples() -> impl Strategy<Value = TcpSample> {
    // The kernel measures in microseconds.
    let rtt = option::of(any::<u32>().prop_map(|rtt| Duration::from_micros(rtt.into())));
    (rtt, any::<[u32; 5]>()).prop_map(|(rtt, [cwnd, mss, total_retransmits, segments_sent, dsack_dups])| {
        TcpSample { rtt, cwnd, mss, total_retransmits, segments_sent, dsack_dups }
    })
}

fn owners() -> impl Strategy<Value = Owner> {
    any::<(u32, [u8; 16])>().prop_map(|(pid, command)| Owner { pid, command: Command::from_kernel(command) })
}

fn bundles() -> impl Strategy<Value = Bundle> {
    let name = "[a-z.]{0,200}".prop_map(Arc::from);
    proptest::collection::vec((name, values()), 0..4).prop_map(Bundle::from_iter)
}

fn values() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        Just(OwnedValue::Word("ipv4")),
        ".{0,300}".prop_map(|text: String| OwnedValue::Text(text.into())),
        any::<[u8; 16]>().prop_map(|bytes| OwnedValue::Command(Command::from_kernel(bytes))),
        any::<IpAddr>().prop_map(OwnedValue::Address),
        any::<i64>().prop_map(OwnedValue::Int),
        any::<Duration>().prop_map(OwnedValue::Seconds),
        any::<bool>().prop_map(OwnedValue::Bool),
        any::<u16>().prop_map(|bits| OwnedValue::Flags(TcpFlags(bits))),
        (1..4096_i32).prop_map(OwnedValue::Errno),
    ]
}
