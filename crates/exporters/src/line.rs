//! One readable line per record: the body of log records, and what `debug` prints.

use std::fmt;

use jiff::Timestamp;
use otel_tcpretrans_pipeline::attribute::ErrorType;
use otel_tcpretrans_pipeline::metric::{MetricPoint, Reading, Temporality};
use otel_tcpretrans_pipeline::record::{Amounts, Flow, Record};

/// `ipv4 10.0.0.1:443 -> 10.0.0.2:50000 timeout established ACK|PSH segments=2 bytes=2896 …`. For a gap it is
/// `ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1`.
pub(crate) struct RecordLine<'a>(pub(crate) &'a Record);

impl fmt::Display for RecordLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        f.write_str(record.class.network_type.into())?;
        if let Some(flow) = record.flow {
            write!(f, " {} -> {}", flow.local, flow.peer)?;
        }
        if record.is_gap() {
            f.write_str(" gap")?;
        }
        write!(f, " {}", <&str>::from(record.class.retransmit_type))?;
        if let Some(role) = record.class.handshake_role {
            write!(f, "({})", <&str>::from(role))?;
        } else if record.class.slow_start == Some(true) {
            f.write_str("(slow_start)")?;
        }
        match record.flow {
            Some(flow) => of_flow(f, record, &flow),
            None => of_gap(f, record.amounts),
        }
    }
}

fn of_flow(f: &mut fmt::Formatter<'_>, record: &Record, flow: &Flow) -> fmt::Result {
    write!(f, " {}", <&str>::from(flow.state))?;
    if let Some(segment) = record.segment {
        write!(f, " {}", segment.flags)?;
    }
    write!(f, " segments={}", record.amounts.segments)?;
    if let Some(segment) = record.segment {
        write!(f, " bytes={} seq={}", segment.payload_bytes, segment.sequence)?;
    }
    if let Some(tcp) = record.tcp {
        if let Some(rtt) = tcp.rtt {
            write!(f, " rtt={:.3}ms", rtt.as_secs_f64() * 1e3)?;
        }
        write!(f, " cwnd={} mss={} total={}", tcp.cwnd, tcp.mss, tcp.total_retransmits)?;
    }
    match record.errno() {
        Some(errno) => write!(f, " failed={}", ErrorType(errno)),
        None => Ok(()),
    }
}

fn of_gap(f: &mut fmt::Formatter<'_>, amounts: Amounts) -> fmt::Result {
    let Amounts { events, segments, bytes, failures } = amounts;
    write!(f, " events={events} segments={segments} bytes={bytes}")?;
    if failures > 0 { write!(f, " failed={failures}") } else { Ok(()) }
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
    use otel_tcpretrans_pipeline::record::{Class, HandshakeRole, NetworkType, RetransmitType, Segment};

    use super::*;
    use crate::fixtures;

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(
            RecordLine(&fixtures::record(1)).to_string(),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 timeout established ACK|PSH segments=2 bytes=2896 seq=1 \
             rtt=12.500ms cwnd=10 mss=1448 total=3"
        );
        assert_eq!(
            RecordLine(&fixtures::failed_syn()).to_string(),
            "ipv6 [2001:db8::1]:40000 -> [2001:db8::2]:80 handshake(client) syn_sent SYN segments=1 bytes=0 seq=7 \
             cwnd=1 mss=536 total=0 failed=EBUSY"
        );
    }

    #[test]
    fn a_retransmission_in_slow_start_is_marked() {
        let class = Class { slow_start: Some(true), ..fixtures::record(1).class };
        let line = RecordLine(&Record { class, ..fixtures::record(1) }).to_string();
        assert!(line.contains(" -> 10.0.0.2:50001 timeout(slow_start) established "), "{line}");
    }

    #[test]
    fn a_gap_is_one_line() {
        let line = |gap: Record| RecordLine(&gap).to_string();
        assert_eq!(line(fixtures::gap()), "ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1");
        let class = Class {
            network_type: NetworkType::Ipv6,
            retransmit_type: RetransmitType::Handshake,
            handshake_role: Some(HandshakeRole::Server),
            slow_start: None,
        };
        let amounts = Amounts { failures: 0, bytes: 0, ..fixtures::gap().amounts };
        assert_eq!(
            line(Record { class, amounts, ..fixtures::gap() }),
            "ipv6 gap handshake(server) events=12 segments=200 bytes=0"
        );
    }

    #[test]
    fn a_failed_attempt_shows_its_payload() {
        let record = fixtures::record(1);
        let segment = record.segment.map(|segment| Segment { errno: Some(105), ..segment });
        let line = RecordLine(&Record { segment, ..record }).to_string();
        assert!(line.contains(" bytes=2896 ") && line.ends_with(" failed=ENOBUFS"), "{line}");
    }

    #[test]
    fn a_gap_of_a_flow_is_one_line() {
        assert_eq!(
            RecordLine(&fixtures::unseen()).to_string(),
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
