//! One readable line per record: the body of log records, and what `debug` prints.

use std::fmt;

use jiff::Timestamp;
use otel_tcpretrans_pipeline::metric::{MetricPoint, Reading, Temporality};
use otel_tcpretrans_pipeline::record::{Amounts, Flow, Record};
use otel_tcpretrans_pipeline::text;

/// Writes the line of a record: `ipv4 10.0.0.1:443 -> 10.0.0.2:50000 timeout established ACK|PSH segments=2 bytes=2896 …`.
/// For a gap it is `ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1`. It is UTF-8.
pub(crate) fn record_line(out: &mut Vec<u8>, record: &Record) {
    let class = record.class;
    out.extend_from_slice(<&str>::from(class.network_type).as_bytes());
    if let Some(flow) = record.flow {
        out.push(b' ');
        text::socket_address(out, flow.local);
        out.extend_from_slice(b" -> ");
        text::socket_address(out, flow.peer);
    }
    if record.is_gap() {
        out.extend_from_slice(b" gap");
    }
    word(out, class.retransmit_type.into());
    if let Some(role) = class.handshake_role {
        out.push(b'(');
        out.extend_from_slice(<&str>::from(role).as_bytes());
        out.push(b')');
    } else if class.slow_start == Some(true) {
        out.extend_from_slice(b"(slow_start)");
    }
    match record.flow {
        Some(flow) => of_flow(out, record, &flow),
        None => of_gap(out, record.amounts),
    }
}

fn of_flow(out: &mut Vec<u8>, record: &Record, flow: &Flow) {
    word(out, flow.state.into());
    if let Some(segment) = record.segment {
        out.push(b' ');
        text::flags(out, segment.flags);
    }
    field(out, b" segments=", record.amounts.segments);
    if let Some(segment) = record.segment {
        field(out, b" bytes=", segment.payload_bytes);
        field(out, b" seq=", segment.sequence);
    }
    if let Some(tcp) = record.tcp {
        if let Some(rtt) = tcp.rtt {
            out.extend_from_slice(b" rtt=");
            text::milliseconds(out, rtt);
            out.extend_from_slice(b"ms");
        }
        field(out, b" cwnd=", tcp.cwnd);
        field(out, b" mss=", tcp.mss);
        field(out, b" total=", tcp.total_retransmits);
    }
    if let Some(owner) = record.owner {
        field(out, b" pid=", owner.pid);
        out.extend_from_slice(b" command=");
        out.extend_from_slice(owner.command.as_str().as_bytes());
    }
    if let Some(errno) = record.errno() {
        out.extend_from_slice(b" failed=");
        text::errno(out, errno);
    }
}

fn of_gap(out: &mut Vec<u8>, amounts: Amounts) {
    let Amounts { events, segments, bytes, failures } = amounts;
    field(out, b" events=", events);
    field(out, b" segments=", segments);
    field(out, b" bytes=", bytes);
    if failures > 0 {
        field(out, b" failed=", failures);
    }
}

fn word(out: &mut Vec<u8>, word: &str) {
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
}

fn field<const N: usize>(out: &mut Vec<u8>, name: &[u8; N], number: impl itoa::Integer) {
    out.extend_from_slice(name);
    text::number(out, number);
}

/// True if somebody should look at the record: the kernel failed to send the segment, or the retransmission was not
/// seen. Any other retransmission is normal for TCP.
pub(crate) fn is_warning(record: &Record) -> bool {
    record.errno().is_some() || record.is_gap()
}

/// `system.network.tcp.retransmits{network.type=ipv4} 42 {segment} cumulative since 2026-11-23T04:00:00Z`
pub(crate) struct PointLine<'a>(pub(crate) &'a MetricPoint);

impl fmt::Display for PointLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.0;
        f.write_str(point.descriptor.name)?;
        f.write_str("{")?;
        for (index, (key, value)) in point.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{key}={value}")?;
        }
        let Reading { start_unix_nano, value } = point.reading();
        let (unit, temporality) = (point.descriptor.unit, temporality(point.temporality));
        let value = point.descriptor.kind.number(value);
        write!(f, "}} {value} {unit} {temporality} since {}", Time(start_unix_nano))
    }
}

/// A temporality's name.
pub(crate) fn temporality(temporality: Temporality) -> &'static str {
    match temporality {
        Temporality::Cumulative => "cumulative",
        Temporality::Delta => "delta",
    }
}

/// A time, given in ns since the Unix epoch, as RFC 3339 in UTC with microseconds.
pub(crate) struct Time(pub(crate) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_nanosecond(self.0.into()) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{}ns", self.0), // unreachable: u64 ns end in the year 2554
        }
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::record::{
        Class, Command, HandshakeRole, NetworkType, Owner, RetransmitType, Segment,
    };

    use super::*;
    use crate::fixtures;

    fn line(record: &Record) -> String {
        let mut line = Vec::new();
        record_line(&mut line, record);
        String::from_utf8(line).expect("a text")
    }

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(
            line(&fixtures::record(1)),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 timeout established ACK|PSH segments=2 bytes=2896 seq=1 \
             rtt=12.500ms cwnd=10 mss=1448 total=3"
        );
        assert_eq!(
            line(&fixtures::failed_syn()),
            "ipv6 [2001:db8::1]:40000 -> [2001:db8::2]:80 handshake(client) syn_sent SYN segments=1 bytes=0 seq=7 \
             cwnd=1 mss=536 total=0 failed=EBUSY"
        );
    }

    #[test]
    fn the_owner_of_the_socket_is_named() {
        let owner = Owner { pid: 321, command: Command::from_kernel(*b"nginx: worker p\0") };
        let line = line(&Record { owner: Some(owner), ..fixtures::record(1) });
        assert!(line.ends_with(" total=3 pid=321 command=nginx: worker p"), "{line}");
    }

    #[test]
    fn a_retransmission_in_slow_start_is_marked() {
        let class = Class { slow_start: Some(true), ..fixtures::record(1).class };
        let line = line(&Record { class, ..fixtures::record(1) });
        assert!(line.contains(" -> 10.0.0.2:50001 timeout(slow_start) established "), "{line}");
    }

    #[test]
    fn a_gap_is_one_line() {
        assert_eq!(line(&fixtures::gap()), "ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1");
        let class = Class {
            network_type: NetworkType::Ipv6,
            retransmit_type: RetransmitType::Handshake,
            handshake_role: Some(HandshakeRole::Server),
            slow_start: None,
        };
        let amounts = Amounts { failures: 0, bytes: 0, ..fixtures::gap().amounts };
        assert_eq!(
            line(&Record { class, amounts, ..fixtures::gap() }),
            "ipv6 gap handshake(server) events=12 segments=200 bytes=0"
        );
    }

    #[test]
    fn a_failed_attempt_shows_its_payload() {
        let record = fixtures::record(1);
        let segment = record.segment.map(|segment| Segment { errno: Some(105), ..segment });
        let line = line(&Record { segment, ..record });
        assert!(line.contains(" bytes=2896 ") && line.ends_with(" failed=ENOBUFS"), "{line}");
    }

    #[test]
    fn a_gap_of_a_flow_is_one_line() {
        assert_eq!(
            line(&fixtures::unseen()),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 gap unknown established segments=2 rtt=12.500ms cwnd=10 mss=1448 \
             total=3"
        );
    }

    #[test]
    fn failures_and_gaps_are_warnings() {
        assert!(!is_warning(&fixtures::record(1)));
        for record in [fixtures::failed_syn(), fixtures::unseen(), fixtures::gap()] {
            assert!(is_warning(&record), "{record:?}");
        }
    }

    #[test]
    fn a_point_is_one_line() {
        assert_eq!(
            PointLine(&fixtures::point(42)).to_string(),
            "system.network.tcp.retransmits{network.type=ipv4,network.tcp.retransmit.type=fast} 42 {segment} \
             cumulative since 2026-11-23T04:00:00.000000Z"
        );
        let delta = MetricPoint { temporality: Temporality::Delta, ..fixtures::point(42) };
        assert_eq!(
            PointLine(&delta).to_string(),
            "system.network.tcp.retransmits{network.type=ipv4,network.tcp.retransmit.type=fast} 2 {segment} \
             delta since 2026-11-23T04:00:05.000000Z"
        );
    }
}
