//! A record as a line of text, in the columns of bcc's tcpretrans and some more.

use std::io::Write;

use otel_tcpretrans_pipeline::attribute::ErrorType;
use otel_tcpretrans_pipeline::record::{NetworkType, Record, RetransmitType, TcpState};
use otel_tcpretrans_pipeline::text;
use strum::IntoEnumIterator;

use super::columns::{Column, Line, Painted, Side};
use crate::colours::of_reason;
use crate::reason;

const COLUMNS: [Column; 13] = [
    column("TIME(UTC)", 12, Side::Left),
    column("PID", 7, Side::Right),
    column("COMM", 15, Side::Left),
    column("IP", 2, Side::Left),
    column("LADDR:LPORT", 21, Side::Left),
    column("T>", 2, Side::Left),
    column("RADDR:RPORT", 21, Side::Left),
    column("STATE", 11, Side::Left),
    column("REASON", 15, Side::Left),
    column("SEGS", 4, Side::Right),
    column("RTT_MS", 8, Side::Right),
    column("CWND", 5, Side::Right),
    column("NOTE", 4, Side::Left),
];

const fn column(heading: &'static str, width: usize, side: Side) -> Column {
    Column { heading, width, side }
}

/// Writes rows. The columns grow with what is in them.
pub(super) struct Rows {
    widths: [usize; COLUMNS.len()],
    /// One style per reason; none without colours.
    styles: Vec<(RetransmitType, Painted)>,
}

impl Rows {
    pub(super) fn new(colours: bool) -> Rows {
        let reasons = RetransmitType::iter().filter(|_| colours);
        let styles = reasons.map(|reason| (reason, Painted::new(of_reason(reason)))).collect();
        Rows { widths: COLUMNS.map(|column| column.width), styles }
    }

    /// The line above the first row.
    pub(super) fn heading(&mut self, out: &mut Vec<u8>) {
        let mut line = Line::new(out, &COLUMNS, &mut self.widths);
        for column in &COLUMNS {
            line.cell(|out| out.extend_from_slice(column.heading.as_bytes()));
        }
        out.push(b'\n');
    }

    /// The line of a record.
    pub(super) fn row(&mut self, out: &mut Vec<u8>, record: &Record) {
        let Record { class, amounts, flow, tcp, owner, .. } = record;
        let style = self.styles.iter().find(|(reason, _)| *reason == class.retransmit_type);
        let style = style.map(|(_, painted)| painted);
        let mut line = Line::new(out, &COLUMNS, &mut self.widths);
        line.cell(|out| time_of_day(out, record.time_unix_nano));
        line.cell(|out| owner.iter().for_each(|owner| text::number(out, owner.pid)));
        line.cell(|out| {
            owner.iter().for_each(|owner| out.extend_from_slice(owner.command.as_str().as_bytes()))
        });
        line.cell(|out| out.push(if class.network_type == NetworkType::Ipv4 { b'4' } else { b'6' }));
        line.cell(|out| flow.iter().for_each(|flow| text::socket_address(out, flow.local)));
        line.styled(style, |out| out.extend_from_slice(&[kind(record), b'>']));
        line.cell(|out| flow.iter().for_each(|flow| text::socket_address(out, flow.peer)));
        line.cell(|out| flow.iter().for_each(|flow| out.extend_from_slice(state(flow.state).as_bytes())));
        line.styled(style, |out| reason::write(out, *class));
        line.cell(|out| text::number(out, amounts.segments));
        line.cell(|out| {
            tcp.iter().filter_map(|tcp| tcp.rtt).for_each(|rtt| text::milliseconds(out, rtt));
        });
        line.cell(|out| tcp.iter().for_each(|tcp| text::number(out, tcp.cwnd)));
        line.cell(|out| note(out, record));
        out.push(b'\n');
    }
}

/// What the arrow stands on. `R` and `L` are bcc's: a retransmission, and a tail loss probe. `F` is an attempt that the
/// kernel failed to send, `G` a gap.
fn kind(record: &Record) -> u8 {
    if record.is_gap() {
        b'G'
    } else if record.errno().is_some() {
        b'F'
    } else if record.class.retransmit_type == RetransmitType::TailLossProbe {
        b'L'
    } else {
        b'R'
    }
}

/// The state's name in the kernel, which bcc, ss and netstat show (include/net/tcp_states.h).
fn state(state: TcpState) -> &'static str {
    match state {
        TcpState::Established => "ESTABLISHED",
        TcpState::SynSent => "SYN_SENT",
        TcpState::SynReceived => "SYN_RECV",
        TcpState::FinWait1 => "FIN_WAIT1",
        TcpState::FinWait2 => "FIN_WAIT2",
        TcpState::TimeWait => "TIME_WAIT",
        TcpState::Closed => "CLOSE",
        TcpState::CloseWait => "CLOSE_WAIT",
        TcpState::LastAck => "LAST_ACK",
        TcpState::Listen => "LISTEN",
        TcpState::Closing => "CLOSING",
    }
}

fn note(out: &mut Vec<u8>, record: &Record) {
    // Writing into a Vec can't fail.
    let _ = match record.errno() {
        Some(errno) => write!(out, "failed:{}", ErrorType(errno)),
        None if !record.is_gap() => Ok(()),
        None if record.flow.is_some() => write!(out, "gap:found_at_close"),
        None => write!(out, "gap:{}_not_seen", record.amounts.events),
    };
}

/// `04:00:00.001` of a time in ns since the Unix epoch.
fn time_of_day(out: &mut Vec<u8>, unix_nano: u64) {
    let milliseconds = unix_nano / 1_000_000;
    let two = |out: &mut Vec<u8>, number: u64| out.extend_from_slice(&[digit(number / 10), digit(number)]);
    let seconds = milliseconds / 1000;
    two(out, seconds / 3600 % 24);
    out.push(b':');
    two(out, seconds / 60 % 60);
    out.push(b':');
    two(out, seconds % 60);
    out.push(b'.');
    out.push(digit(milliseconds / 100));
    two(out, milliseconds % 100);
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests;
