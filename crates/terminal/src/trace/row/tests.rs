//! How rows look.

use otel_tcpretrans_pipeline::record::{
    Class, Command, Flow, HandshakeRole, NetworkType, Owner, Segment, TcpSample,
};

use super::*;
use crate::fixtures;

fn lines(colours: bool, records: &[Record]) -> Vec<String> {
    let (mut rows, mut out) = (Rows::new(colours), Vec::new());
    rows.heading(&mut out);
    records.iter().for_each(|record| rows.row(&mut out, record));
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn row(record: &Record) -> String {
    lines(false, std::slice::from_ref(record)).remove(1)
}

#[test]
fn rows_are_below_their_headings() {
    let record = fixtures::record();
    let segment = record.segment.map(|segment| Segment { errno: Some(16), ..segment });
    let class = Class {
        network_type: NetworkType::Ipv6,
        retransmit_type: RetransmitType::Handshake,
        handshake_role: Some(HandshakeRole::Client),
        slow_start: None,
    };
    let flow = Flow {
        local: "[2001:db8::1]:40000".parse().unwrap(),
        peer: "[2001:db8::2]:80".parse().unwrap(),
        state: TcpState::SynSent,
        ..record.flow.unwrap()
    };
    let tcp = record.tcp.map(|tcp| TcpSample { rtt: None, ..tcp });
    let failed = Record { segment, class, flow: Some(flow), tcp, owner: None, ..record.clone() };
    let expected = "\
TIME(UTC)        PID COMM            IP LADDR:LPORT           T> RADDR:RPORT           STATE       REASON          SEGS   RTT_MS  CWND NOTE
22:13:25.000     321 curl            4  10.0.0.1:43210        R> 192.0.2.7:443         ESTABLISHED fast               2    1.500    10 -
22:13:25.000       - -               6  [2001:db8::1]:40000   F> [2001:db8::2]:80      SYN_SENT    handshake(client)    2        -    10 failed:EBUSY
22:13:25.000       - -               4  -                     G> -                     -           timeout            200        -     - gap:12_not_seen";
    assert_eq!(lines(false, &[record, failed, fixtures::gap()]).join("\n"), expected);
}

#[test]
fn the_arrow_stands_on_what_it_is() {
    let kind = |record: &Record| row(record).split("> ").next().unwrap().chars().last().unwrap();
    let record = fixtures::record();
    let probe = Class { retransmit_type: RetransmitType::TailLossProbe, ..record.class };
    assert_eq!(kind(&record), 'R');
    assert_eq!(kind(&Record { class: probe, ..record.clone() }), 'L');
    let found = Record { segment: None, ..record };
    assert_eq!(kind(&found), 'G');
    assert!(row(&found).ends_with(" gap:found_at_close"), "{}", row(&found));
}

#[test]
fn slow_start_is_told() {
    let class = Class {
        retransmit_type: RetransmitType::Timeout,
        slow_start: Some(true),
        ..fixtures::record().class
    };
    assert!(row(&Record { class, ..fixtures::record() }).contains(" timeout(slow_start) "));
}

/// A process may call itself anything.
#[test]
fn a_command_cannot_write_to_the_terminal() {
    let owner = Owner { pid: 1, command: Command::from_kernel(*b"\x1b[2J\x07a\nb\xff\0\0\0\0\0\0\0") };
    let row = row(&Record { owner: Some(owner), ..fixtures::record() });
    assert!(row.contains("      1 ?[2J?a?b?       4 "), "{row}");
}

#[test]
fn the_reason_alone_has_a_colour() {
    let lines = lines(true, &[fixtures::record()]);
    assert!(!lines[0].contains('\x1b'), "{}", lines[0]);
    assert!(lines[1].contains(" \x1b[36mR>\x1b[0m 192.0.2.7:443 "), "{}", lines[1]);
    assert!(lines[1].contains(" \x1b[36mfast\x1b[0m            "), "{}", lines[1]);
    let bare = lines[1].replace("\x1b[36m", "").replace("\x1b[0m", "");
    assert_eq!(bare, row(&fixtures::record()));
}
