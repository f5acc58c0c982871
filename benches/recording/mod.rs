//! Makes a recording with the retransmissions of thousands of connections, as a busy host has them.
//!
//! Connections, reasons, states and numbers differ from event to event, so that nothing gains from the event before it.
//! The same number of events is the same recording each time, apart from its header.

use std::fs::File;
use std::io;
use std::path::Path;

use fastrand::Rng;
use otel_tcpretrans_source::recording::{Header, Writer};
use otel_tcpretrans_source::wire::{Event, Kind, Reason, to_bytes};

/// How many connections there are. Each event is of one of them, at random.
const CONNECTIONS: usize = 5000;
const CPUS: u32 = 8;
/// Numbers of the kinds of events.
const KINDS: usize = 3;
const SEED: u64 = 8;
/// The largest pause between two events: 30,000 events a second on average.
const PAUSE_NS: u64 = 66_000;

/// include/linux/socket.h, include/net/tcp_states.h, RFC 9293.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;
const FIN_WAIT_1: u8 = 4;
const CLOSE_WAIT: u8 = 8;
const LAST_ACK: u8 = 9;
const NEW_SYN_RECV: u8 = 12;
const SYN: u16 = 0x02;
const PSH: u16 = 0x08;
const ACK: u16 = 0x10;
/// What a failed attempt has as its error: EAGAIN, ENETUNREACH, and a queueing discipline's drop.
const ERRORS: [i32; 3] = [-11, -101, 1];

/// Writes so many events to a new file at `path`. The recorder has lost none.
pub fn write(path: &Path, events: u64) -> io::Result<()> {
    let header = Header::here();
    let mut writer = Writer::new(File::create(path)?, &header);
    let mut rng = Rng::with_seed(SEED);
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|number| connection(number, &mut rng)).collect();
    let mut sequences = [[0; CPUS as usize]; KINDS];
    let mut boot_time_ns = header.boot_time_ns;
    for _ in 0..events {
        boot_time_ns += rng.u64(1..PAUSE_NS);
        let connection = &mut connections[rng.usize(..CONNECTIONS)];
        let mut event = happening(connection, &mut rng);
        event.boot_time_ns = boot_time_ns;
        event.cpu = rng.u32(..CPUS);
        let sequence: &mut u64 = &mut sequences[usize::from(event.kind)][event.cpu as usize];
        event.sequence = *sequence;
        *sequence += 1;
        writer.event(to_bytes(&event), header.wall_offset_ns)?;
    }
    writer.finish(events)
}

/// What all events of a connection have in common. Every third connection is over IPv6, and half of them are a server's.
fn connection(number: usize, rng: &mut Rng) -> Event {
    let ipv6 = number.is_multiple_of(3);
    let (mut local, mut peer) = ([0; 16], [0; 16]);
    if ipv6 {
        local[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]); // 2001:db8::1 to ::4
        local[15] = rng.u8(1..=4);
        peer[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        rng.fill(&mut peer[4..]);
    } else {
        local[..4].copy_from_slice(&[10, 0, 0, rng.u8(1..=4)]);
        rng.fill(&mut peer[..4]);
        peer[0] = rng.u8(1..=126);
    }
    let (service, ephemeral) = (rng.choice([443, 5432, 8080, 9092]).unwrap_or(443), rng.u16(32_768..61_000));
    let is_server = rng.bool();
    Event {
        socket_cookie: 0x1000 + number as u64,
        cgroup_id: rng.u64(2000..2064),
        local_address: local,
        peer_address: peer,
        netns_inode: 4_026_531_840 + rng.u32(..32),
        tcp_sequence: rng.u32(..),
        srtt_us: rng.u32(200..200_000),
        mss: rng.choice([536, 1228, 1428, 1448]).unwrap_or(1448),
        local_port: if is_server { service } else { ephemeral },
        peer_port: if is_server { ephemeral } else { service },
        family: if ipv6 { AF_INET6 } else { AF_INET },
        ipv6: ipv6.into(),
        ..Event::default()
    }
}

/// One retransmission of a connection. The connection goes on by what was sent.
fn happening(connection: &mut Event, rng: &mut Rng) -> Event {
    let dice = rng.u32(..1000);
    let skb_segments = if rng.u8(..10) < 7 { 1 } else { rng.u32(2..=8) };
    let (kind, reason, state, tcp_flags, skb_segments, payload_bytes) = match dice {
        0..10 => (Kind::KIND_UNSEEN, Reason::REASON_UNKNOWN, CLOSE_WAIT, 0, 0, 0),
        10..40 => (Kind::KIND_SEGMENT, Reason::REASON_SYN, SYN_SENT, SYN, 1, 0),
        40..70 => (Kind::KIND_SYNACK, Reason::REASON_SYNACK, NEW_SYN_RECV, SYN | ACK, 1, 0),
        _ => {
            let reason = match dice {
                70..520 => Reason::REASON_FAST,
                520..660 => Reason::REASON_TAIL_LOSS_PROBE,
                660..800 => Reason::REASON_TIMEOUT,
                800..980 => Reason::REASON_SLOW_START,
                _ => Reason::REASON_UNKNOWN,
            };
            let state = [ESTABLISHED, ESTABLISHED, ESTABLISHED, FIN_WAIT_1, CLOSE_WAIT, LAST_ACK];
            let state = rng.choice(state).unwrap_or(ESTABLISHED);
            let last = rng.u32(1..=connection.mss);
            let payload = (skb_segments - 1) * connection.mss + last;
            (
                Kind::KIND_SEGMENT,
                reason,
                state,
                rng.choice([ACK, PSH | ACK]).unwrap_or(ACK),
                skb_segments,
                payload,
            )
        }
    };
    let failed = kind != Kind::KIND_UNSEEN && rng.u8(..100) == 0;
    let segments = if failed { 0 } else { skb_segments.max(1) };
    connection.total_retransmits += segments;
    connection.segments_sent += segments + rng.u32(..100);
    connection.tcp_sequence = connection.tcp_sequence.wrapping_add(payload_bytes);
    connection.srtt_us = (connection.srtt_us + rng.u32(..64)).saturating_sub(rng.u32(..64)).max(1);
    connection.cwnd = rng.u32(1..=256);
    Event {
        kind: kind.0 as u8,
        reason: reason.0 as u8,
        state,
        tcp_flags,
        segments,
        skb_segments,
        payload_bytes,
        err: if failed { rng.choice(ERRORS).unwrap_or(-11) } else { 0 },
        ..*connection
    }
}
