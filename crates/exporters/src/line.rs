//! One readable line a record: the body of log records and what `debug` prints.

use std::fmt;

use jiff::Timestamp;
use otel_tcpretrans_pipeline::flow::FlowRecord;
use otel_tcpretrans_pipeline::metric::{MetricPoint, Temporality};

/// `ipv4 10.0.0.1:443 -> 10.0.0.2:50000 timeout established ACK|PSH segments=2 bytes=2896 …`
pub(crate) struct RecordLine<'a>(pub(crate) &'a FlowRecord);

impl fmt::Display for RecordLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        let network: &str = record.network_type().into();
        let kind: &str = record.retransmit_type.into();
        let state: &str = record.state.into();
        write!(f, "{network} {} -> {} {kind}", record.local, record.peer)?;
        if let Some(role) = record.handshake_role {
            write!(f, "({})", <&str>::from(role))?;
        }
        write!(
            f,
            " {state} {} segments={} bytes={} seq={}",
            record.flags, record.segments, record.bytes, record.sequence
        )?;
        if let Some(rtt) = record.rtt {
            write!(f, " rtt={:.3}ms", rtt.as_secs_f64() * 1e3)?;
        }
        write!(f, " cwnd={} mss={} total={}", record.cwnd, record.mss, record.total_retransmits)?;
        if let Some(error) = error_type(record) {
            write!(f, " failed={error}")?;
        }
        Ok(())
    }
}

fn error_type(record: &FlowRecord) -> Option<impl fmt::Display> {
    otel_tcpretrans_pipeline::attribute::Attribute::ErrorType.of(record)
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
    use super::*;
    use crate::sample;

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(
            RecordLine(&sample::record(1)).to_string(),
            "ipv4 10.0.0.1:443 -> 10.0.0.2:50001 timeout established ACK|PSH segments=2 bytes=2896 seq=1 \
             rtt=12.500ms cwnd=10 mss=1448 total=3"
        );
        assert_eq!(
            RecordLine(&sample::failed_syn()).to_string(),
            "ipv6 [2001:db8::1]:40000 -> [2001:db8::2]:80 handshake(client) syn_sent SYN segments=1 bytes=0 seq=7 \
             cwnd=1 mss=536 total=0 failed=EBUSY"
        );
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
