//! SYN-ACKs beyond the plain ones: those of a fast-open child, and none where none are asked for.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use otel_tcpretrans_pipeline::record::{HandshakeRole, RetransmitType};
use otel_tcpretrans_source::config::{Config, Hook, Transport};
use socket2::{Domain, Socket, Type};

use crate::running::{Running, own};
use crate::support::namespace::{isolated, netstat, retrans_segs, wait_for, wait_until_quiet};
use crate::support::traffic::{listen, loopback, lose_one_in};

const PATIENCE: Duration = Duration::from_secs(30);
/// include/linux/socket.h
const MSG_FASTOPEN: i32 = 0x2000_0000;

fn client(v6: bool) -> Socket {
    let client = Socket::new(Domain::for_address(SocketAddr::new(loopback(v6), 0)), Type::STREAM, None);
    let client = client.expect("socket");
    client.set_nonblocking(true).expect("O_NONBLOCK");
    client
}

/// With `synack: false` the listener's are not reported, and the client's SYNs are.
pub fn none_where_they_are_off() {
    isolated(|| {
        let running = Running::start(Config { synack: false, ..own(Hook::Auto, Transport::Auto) });
        let connecting = [false, true].map(|v6| {
            let (listener, port) = listen(loopback(v6));
            let client = client(v6);
            lose_one_in(&client, 1); // no SYN-ACK arrives
            client.connect(&SocketAddr::new(loopback(v6), port).into()).expect_err("it takes longer");
            (client, listener)
        });
        // Each side of each: two SYNs and more than two SYN-ACKs.
        wait_for("SYNs and SYN-ACKs", PATIENCE, || netstat("TCPSynRetrans") >= 8);
        drop(connecting);
        let seen = running.finish();
        let roles = seen.records.iter().map(|record| record.class.handshake_role);
        assert!(roles.clone().all(|role| role == Some(HandshakeRole::Client)), "{:?}", seen.records);
        assert!(roles.count() > 0 || seen.shortage() > 0);
    });
}

/// The child exists from the SYN on, its SYN-ACK is lost, and then a segment of its own: each is counted once.
pub fn of_a_fast_open_child(hook: Hook) {
    isolated(move || {
        // Client and server, no cookies, every listener (Documentation/networking/ip-sysctl.rst).
        fs::write("/proc/sys/net/ipv4/tcp_fastopen", (0x1 | 0x2 | 0x4 | 0x200 | 0x400).to_string())
            .expect("sysctl");
        let running = Running::start(own(hook, Transport::Auto));
        for v6 in [false, true] {
            let (listener, port) = listen(loopback(v6));
            let client = client(v6);
            lose_one_in(&client, 1);
            let before = netstat("TCPSynRetrans");
            let server = SocketAddr::new(loopback(v6), port).into();
            assert_eq!(client.send_to_with_flags(b"SYN", &server, MSG_FASTOPEN).expect("a SYN with data"), 3);
            let (child, _) = listener.accept().expect("a child, before it is connected");
            let mut child = TcpStream::from(child);
            child.read_exact(&mut [0; 3]).expect("the SYN's data");
            wait_for("the SYN and the SYN-ACK again", PATIENCE, || netstat("TCPSynRetrans") >= before + 2);
            child.write_all(b"data").expect("from the child");
            wait_for("a timeout more", PATIENCE, || netstat("TCPSynRetrans") >= before + 4);
            client.detach_filter().expect("SO_DETACH_FILTER");
            client.set_nonblocking(false).expect("O_NONBLOCK");
            let mut client = TcpStream::from(client);
            client.set_read_timeout(Some(PATIENCE)).expect("timeout");
            client.read_exact(&mut [0; 4]).expect("the child's data");
            drop((client, child));
        }
        wait_until_quiet();
        let seen = running.finish();
        seen.assert_balanced(retrans_segs());
        seen.assert_reasons();
        let by_server = seen.records.iter().filter(|r| r.class.handshake_role == Some(HandshakeRole::Server));
        let by_server =
            by_server.inspect(|r| assert_eq!(r.class.retransmit_type, RetransmitType::Handshake)).count();
        assert!(by_server > 0 || seen.shortage() > 0, "{:?}", seen.records);
    });
}
