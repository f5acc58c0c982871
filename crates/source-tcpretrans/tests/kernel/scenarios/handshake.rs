//! SYNs and SYN-ACKs.

use std::io;
use std::net::SocketAddr;

use otel_tcpretrans_pipeline::record::{HandshakeRole, Record, RetransmitType, TcpState};
use socket2::Socket;

use super::pair::Way;
use super::{PATIENCE, Watch};
use crate::running::flow;
use crate::support::namespace::{netstat, wait_for};
use crate::support::traffic::{listen, lose_one_in};

/// A connection that is being made to a listener of its own.
struct Attempt {
    client: Socket,
    listener: Socket,
    server: SocketAddr,
}

impl Attempt {
    /// One of the two sides gets nothing from the beginning.
    fn new(way: Way, deaf: fn(&Attempt) -> &Socket) -> Attempt {
        let (listener, port) = listen(way.address());
        let attempt =
            Attempt { client: way.socket(), listener, server: SocketAddr::new(way.address(), port) };
        lose_one_in(deaf(&attempt), 1);
        attempt.client.set_nonblocking(true).expect("O_NONBLOCK");
        attempt.listener.set_nonblocking(true).expect("O_NONBLOCK");
        let connecting = attempt.client.connect(&attempt.server.into()).expect_err("it can't be done yet");
        assert_eq!(connecting.raw_os_error(), Some(rustix::io::Errno::INPROGRESS.raw_os_error()));
        attempt
    }
}

fn assert_handshake(record: &Record) {
    assert_eq!(record.class.retransmit_type, RetransmitType::Handshake, "{record:?}");
    let payload = record.segment.map_or(0, |segment| segment.payload_bytes);
    assert_eq!((record.amounts.segments, payload), (1, 0), "{record:?}");
}

/// The listener hears nothing: SYNs of the client, by its timer.
pub fn an_unreachable_syn(ways: &[Way], watch: Watch) {
    let attempts: Vec<_> = ways.iter().map(|way| Attempt::new(*way, |attempt| &attempt.listener)).collect();
    let sent = || netstat("TCPSynRetrans");
    wait_for("a SYN of each again", PATIENCE, || sent() >= ways.len() as u64);
    let servers: Vec<_> = attempts.iter().map(|attempt| attempt.server).collect();
    drop(attempts);
    for seen in watch.finish() {
        for record in seen.told() {
            assert_handshake(record);
            assert_eq!(record.class.handshake_role, Some(HandshakeRole::Client));
            assert_eq!(flow(record).state, TcpState::SynSent);
        }
        for server in &servers {
            let some = seen.records.iter().any(|record| flow(record).peer == *server);
            assert!(some || seen.shortage() > 0, "nothing to {server}");
        }
    }
}

/// The client hears nothing: SYN-ACKs of the listener, and the client's SYNs; then it does, and they are connected.
pub fn a_lost_syn_ack(ways: &[Way], mut watch: Watch) {
    let attempts: Vec<_> = ways.iter().map(|way| Attempt::new(*way, |attempt| &attempt.client)).collect();
    let by_listener = |records: &[Record], server| {
        let mut of = records.iter().filter(|record| flow(record).local == server);
        of.any(|record| record.class.handshake_role == Some(HandshakeRole::Server))
    };
    watch.by_hook[0].wait_until("a SYN-ACK of each again", PATIENCE, |records| {
        attempts.iter().all(|attempt| by_listener(records, attempt.server))
    });
    for attempt in &attempts {
        attempt.client.detach_filter().expect("SO_DETACH_FILTER");
    }
    let mut accepted = Vec::new();
    for attempt in &attempts {
        wait_for("the connection", PATIENCE, || match attempt.listener.accept() {
            Ok((socket, _)) => {
                accepted.push(socket);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("accept: {error}"),
        });
    }
    let servers: Vec<_> = attempts.iter().map(|attempt| attempt.server).collect();
    drop((attempts, accepted));
    for seen in watch.finish() {
        for record in seen.told() {
            assert_handshake(record);
            let role = if servers.contains(&flow(record).local) {
                HandshakeRole::Server
            } else {
                HandshakeRole::Client
            };
            assert_eq!(record.class.handshake_role, Some(role), "{record:?}");
        }
        for server in &servers {
            let some = by_listener(&seen.records, *server);
            assert!(some || seen.shortage() > 0, "nothing from {server}");
        }
    }
}
