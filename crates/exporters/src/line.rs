//! One readable line a record: the body of log records and what `debug` prints.

use std::fmt;

use jiff::Timestamp;
use otel_tcpretrans_pipeline::attribute::error_type;
use otel_tcpretrans_pipeline::flow::{FlowRecord, Record};
use otel_tcpretrans_pipeline::metric::{MetricPoint, Temporality};

/// `ipv4 10.0.0.1:443 -> 10.0.0.2:50000 timeout established ACK|PSH segments=2 bytes=2896 …`; of a gap
/// `ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1`.
pub(crate) struct RecordLine<'a>(pub(crate) &'a Record);

impl fmt::Display for RecordLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        f.write_str(record.network_type().into())?;
        if let Record::Flow(flow) = record {
            write!(f, " {} -> {}", flow.local, flow.peer)?;
        }
        if record.is_gap() {
            f.write_str(" gap")?;
        }
        write!(f, " {}", <&str>::from(record.retransmit_type()))?;
        if let Some(role) = record.handshake_role() {
            write!(f, "({})", <&str>::from(role))?;
        } else if record.slow_start() == Some(true) {
            f.write_str("(slow_start)")?;
        }
        match record {
            Record::Flow(flow) => of_flow(f, flow),
            Record::Gap(gap) => {
                write!(f, " events={} segments={} bytes={}", gap.events, gap.segments, gap.bytes)?;
                if gap.failures > 0 { write!(f, " failed={}", gap.failures) } else { Ok(()) }
            }
        }
    }
}

fn of_flow(f: &mut fmt::Formatter<'_>, flow: &FlowRecord) -> fmt::Result {
    write!(f, " {}", <&str>::from(flow.state))?;
    if flow.is_unseen() {
        write!(f, " segments={}", flow.segments)?;
    } else {
        let FlowRecord { flags, segments, bytes, sequence, .. } = flow;
        write!(f, " {flags} segments={segments} bytes={bytes} seq={sequence}")?;
    }
    if let Some(rtt) = flow.rtt {
        write!(f, " rtt={:.3}ms", rtt.as_secs_f64() * 1e3)?;
    }
    write!(f, " cwnd={} mss={} total={}", flow.cwnd, flow.mss, flow.total_retransmits)?;
    if let Some(errno) = flow.errno {
        write!(f, " failed={}", error_type(errno))?;
    }
    Ok(())
}

/// Is the record worth a look? A retransmission is TCP at work; that the kernel could not even send it, or that it was
/// not seen, is not.
pub(crate) fn is_warning(record: &Record) -> bool {
    record.errno().is_some() || record.is_gap()
}

/// `system.network.tcp.retransmits{network.type=ipv4} 42 {segment} cumulative since 2026-11-23T04:00:00Z`
pub(crate) struct PointLine<'a>(pub(crate) &'a MetricPoint);

impl fmt::Display for PointLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.0;
        f.write_str(point.metric.name())?;
        f.write_str("{")?;
        for (index, (attribute, value)) in point.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{attribute}={value}")?;
        }
        write!(
            f,
            "}} {} {} {} since {}",
            point.value,
            point.metric.unit(),
            temporality(point.temporality),
            Time(point.start_unix_nano)
        )
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
    use otel_tcpretrans_pipeline::flow::{Gap, HandshakeRole, NetworkType, RetransmitType};

    use super::*;
    use crate::sample;

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(
            RecordLine(&sample::record(1).into()).to_string(),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 timeout established ACK|PSH segments=2 bytes=2896 seq=1 \
             rtt=12.500ms cwnd=10 mss=1448 total=3"
        );
        assert_eq!(
            RecordLine(&sample::failed_syn().into()).to_string(),
            "ipv6 [2001:db8::1]:40000 -> [2001:db8::2]:80 handshake(client) syn_sent SYN segments=1 bytes=0 seq=7 \
             cwnd=1 mss=536 total=0 failed=EBUSY"
        );
    }

    #[test]
    fn the_slow_start_is_told_from_the_timers_own() {
        let slow = FlowRecord { slow_start: true, ..sample::record(1) };
        let line = RecordLine(&slow.into()).to_string();
        assert!(line.contains(" -> 10.0.0.2:50001 timeout(slow_start) established "), "{line}");
    }

    #[test]
    fn a_gap_is_one_line() {
        let line = |gap: Gap| RecordLine(&gap.into()).to_string();
        assert_eq!(line(sample::gap()), "ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1");
        let synacks = Gap {
            network_type: NetworkType::Ipv6,
            retransmit_type: RetransmitType::Handshake,
            handshake_role: Some(HandshakeRole::Server),
            failures: 0,
            bytes: 0,
            ..sample::gap()
        };
        assert_eq!(line(synacks), "ipv6 gap handshake(server) events=12 segments=200 bytes=0");
    }

    #[test]
    fn segments_without_their_skb_are_one_line() {
        assert_eq!(
            RecordLine(&sample::unseen().into()).to_string(),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 gap unknown established segments=2 rtt=12.500ms cwnd=10 mss=1448 \
             total=3"
        );
    }

    #[test]
    fn what_is_worth_a_look() {
        assert!(!is_warning(&sample::record(1).into()));
        for record in [sample::failed_syn().into(), sample::unseen().into(), sample::gap().into()] {
            assert!(is_warning(&record), "{record:?}");
        }
    }

    #[test]
    fn a_point_is_one_line() {
        assert_eq!(
            PointLine(&sample::point(42)).to_string(),
            "system.network.tcp.retransmits{network.type=ipv4,network.tcp.retransmit.type=fast} 42 {segment} \
             cumulative since 2026-11-23T04:00:00.000000Z"
        );
    }
}
