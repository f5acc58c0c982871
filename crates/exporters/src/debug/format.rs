//! Writes batches as text, at each verbosity.

use std::io::{self, Write};

use otel_tcpretrans_pipeline::attribute::Value;
use otel_tcpretrans_pipeline::component::Batch;
use otel_tcpretrans_pipeline::metric::{Descriptor, MetricPoint, Reading};
use otel_tcpretrans_pipeline::record::Record;

use super::Verbosity;
use crate::line::{PointLine, Time, is_warning, record_line, temporality};

/// A batch, with a line break at the end of each line.
pub(super) fn batch(batch: &Batch, verbosity: Verbosity) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing into a Vec can't fail.
    let _ = match batch {
        Batch::Logs(records) => records.iter().try_for_each(|item| record(&mut out, item, verbosity)),
        Batch::Metrics(points) => points.iter().try_for_each(|item| point(&mut out, item, verbosity)),
    };
    out
}

fn record(out: &mut Vec<u8>, record: &Record, verbosity: Verbosity) -> io::Result<()> {
    let time = Time(record.time_unix_nano);
    match verbosity {
        Verbosity::Basic => {
            write!(out, "{time} ")?;
            record_line(out, record);
            writeln!(out)
        }
        Verbosity::Normal => {
            write!(out, "{time} ")?;
            record_line(out, record);
            for (attribute, value) in record.attributes() {
                write!(out, " {attribute}={value}")?;
            }
            writeln!(out)
        }
        Verbosity::Detailed => {
            writeln!(out, "LogRecord {}", record.event_name())?;
            writeln!(out, "  Timestamp: {time}")?;
            writeln!(out, "  Severity: {}", if is_warning(record) { "WARN" } else { "INFO" })?;
            write!(out, "  Body: ")?;
            record_line(out, record);
            writeln!(out)?;
            if let Some(identity) = record.identity {
                writeln!(out, "  Identity: cpu {} sequence {}", identity.cpu, identity.sequence)?;
            }
            if let Some(cookie) = record.flow.and_then(|flow| flow.socket_cookie) {
                writeln!(out, "  Socket cookie: {cookie}")?;
            }
            if let Some(cgroup) = record.flow.and_then(|flow| flow.cgroup_id) {
                writeln!(out, "  Cgroup id: {cgroup}")?;
            }
            attributes(out, record.attributes())
        }
    }
}

fn point(out: &mut Vec<u8>, point: &MetricPoint, verbosity: Verbosity) -> io::Result<()> {
    let time = Time(point.time_unix_nano);
    match verbosity {
        // All attributes of a point are those of its series, and its line has them already.
        Verbosity::Basic | Verbosity::Normal => writeln!(out, "{time} {}", PointLine(point)),
        Verbosity::Detailed => {
            let Descriptor { name, unit, kind, description } = point.descriptor;
            let Reading { start_unix_nano, value } = point.reading();
            writeln!(out, "Metric {name}")?;
            writeln!(out, "  Description: {description}")?;
            writeln!(out, "  Unit: {unit}")?;
            writeln!(out, "  Type: Sum, monotonic, {}", temporality(point.temporality))?;
            writeln!(out, "  StartTimestamp: {}", Time(start_unix_nano))?;
            writeln!(out, "  Timestamp: {time}")?;
            writeln!(out, "  Value: {}", kind.number(value))?;
            attributes(out, point.attributes.iter().map(|(key, value)| (key.name(), value.value())))
        }
    }
}

fn attributes<'a>(
    out: &mut Vec<u8>,
    attributes: impl Iterator<Item = (&'a str, Value<'a>)>,
) -> io::Result<()> {
    writeln!(out, "  Attributes:")?;
    for (attribute, value) in attributes {
        writeln!(out, "    {attribute}: {value}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn text(of: &Batch, verbosity: Verbosity) -> String {
        String::from_utf8(batch(of, verbosity)).expect("a text")
    }

    fn logs(verbosity: Verbosity) -> String {
        text(&Batch::Logs([fixtures::record(1), fixtures::failed_syn()].into()), verbosity)
    }

    fn metrics(verbosity: Verbosity) -> String {
        text(&Batch::Metrics([fixtures::point(42)].into()), verbosity)
    }

    #[test]
    fn basic_is_one_line_per_item() {
        let text = logs(Verbosity::Basic);
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.starts_with("2026-11-23T04:00:00.001500Z ipv4 10.0.0.1:443 -> 10.0.0.2:50001 "),
            "{text}"
        );
        assert!(text.ends_with("failed=EBUSY\n"), "{text}");
        let text = metrics(Verbosity::Basic);
        assert!(text.starts_with("2026-11-23T04:00:10.000000Z system.network.tcp.retransmits{"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn normal_adds_all_attributes() {
        let text = logs(Verbosity::Normal);
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains(" network.peer.address=10.0.0.2 network.peer.port=50001 "), "{text}");
        assert!(text.contains(" error.type=EBUSY\n"), "{text}");
    }

    #[test]
    fn attributes_of_processors_follow_the_records_own() {
        let text = |verbosity| text(&Batch::Logs([fixtures::enriched()].into()), verbosity);
        let found = " linux.netns.inode=4026531840 service.name=shop peer.port.open=true\n";
        assert!(text(Verbosity::Normal).ends_with(found), "{}", text(Verbosity::Normal));
        let found = "\n    linux.netns.inode: 4026531840\n    service.name: shop\n    peer.port.open: true\n";
        assert!(text(Verbosity::Detailed).ends_with(found), "{}", text(Verbosity::Detailed));
    }

    #[test]
    fn a_gap_is_printed_at_each_verbosity() {
        let gap = |verbosity| text(&Batch::Logs([fixtures::gap()].into()), verbosity);
        let line = "ipv4 gap timeout events=12 segments=200 bytes=289600 failed=1";
        assert_eq!(gap(Verbosity::Basic), format!("2026-11-23T04:00:00.002500Z {line}\n"));
        let attributes = " network.transport=tcp network.type=ipv4 network.tcp.retransmit.type=timeout \
                          tcp.slow_start=false tcp.events=12 tcp.failures=1 tcp.segments=200 tcp.bytes=289600\n";
        assert_eq!(gap(Verbosity::Normal), format!("2026-11-23T04:00:00.002500Z {line}{attributes}"));
        let text = gap(Verbosity::Detailed);
        assert!(text.starts_with("LogRecord tcp.retransmit.gap\n"), "{text}");
        assert!(text.contains(&format!("\n  Severity: WARN\n  Body: {line}\n  Attributes:\n")), "{text}");
    }

    #[test]
    fn detailed_is_one_line_per_detail() {
        let text = logs(Verbosity::Detailed);
        assert!(
            text.contains("\n    tcp.rtt: 0.012500\n") && text.contains("\n  Severity: WARN\n"),
            "{text}"
        );
        assert!(text.starts_with("LogRecord tcp.retransmit\n") && text.contains("\n  Identity: "), "{text}");
        let text = metrics(Verbosity::Detailed);
        assert!(text.contains("\n  Value: 42\n") && text.contains("\n    network.type: ipv4\n"), "{text}");
    }
}
