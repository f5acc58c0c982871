//! Retransmissions on demand: each SYN that a listener gets once more makes it send its SYN-ACK once more, before the call
//! that sends the SYN returns.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::traffic::{listen, loopback, lose_one_in};

/// include/uapi/linux/tcp.h
const SYN: u8 = 0x02;
const HEADER: usize = 20;

/// A client that sends the same SYN again and again, and the listener that answers it.
pub struct Syns {
    raw: Socket,
    server: SocketAddr,
    segment: [u8; HEADER],
    _listener: Socket,
    /// Has the client's port, and drops what comes. Without it the kernel would answer the SYN-ACKs by resets.
    _client: Socket,
}

impl Syns {
    /// In this thread's network namespace, whose limit on answers to the same SYN is lifted. The first SYN is sent.
    pub fn new() -> Syns {
        fs::write("/proc/sys/net/ipv4/tcp_invalid_ratelimit", "0").expect("tcp_invalid_ratelimit");
        let (listener, port) = listen(loopback(false));
        let (client, client_port) = listen(loopback(false));
        lose_one_in(&client, 1);
        let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).expect("a raw socket");
        let syns = Syns {
            raw,
            server: SocketAddr::new(loopback(false), 0), // a raw socket has no ports
            segment: syn(client_port, port),
            _listener: listener,
            _client: client,
        };
        syns.send();
        syns
    }

    /// Makes the listener send its SYN-ACK: except for the first time, once more.
    pub fn send(&self) {
        let sent = self.raw.send_to(&self.segment, &self.server.into()).expect("sending a SYN");
        assert_eq!(sent, self.segment.len());
    }
}

/// A SYN from one port of 127.0.0.1 to another, RFC 9293, section 3.1.
fn syn(from: u16, to: u16) -> [u8; HEADER] {
    const WINDOW: u16 = 1 << 12;
    let mut segment = [0; HEADER];
    segment[0..2].copy_from_slice(&from.to_be_bytes());
    segment[2..4].copy_from_slice(&to.to_be_bytes());
    segment[4..8].copy_from_slice(&1_u32.to_be_bytes()); // the sequence number
    segment[12] = (HEADER as u8 / 4) << 4;
    segment[13] = SYN;
    segment[14..16].copy_from_slice(&WINDOW.to_be_bytes());
    let checksum = checksum(&segment);
    segment[16..18].copy_from_slice(&checksum.to_be_bytes());
    segment
}

/// Over the segment and the pseudo-header of IPv4.
fn checksum(segment: &[u8]) -> u16 {
    const TCP: u8 = 6;
    let address = Ipv4Addr::LOCALHOST.octets();
    let pseudo_header = [&address[..], &address, &[0, TCP], &(segment.len() as u16).to_be_bytes()].concat();
    let words = [&pseudo_header, segment].concat();
    let mut sum: u32 = words.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
