//! A socket that is connected again: the kernel's count in it begins anew, and its ports are the same.

use std::net::SocketAddr;
use std::time::Duration;

use otel_tcpretrans_source::config::{Hook, Transport};
use socket2::{Domain, Socket, Type};

use crate::running::{Running, own};
use crate::support::namespace::{isolated, netstat, own_ports, retrans_segs, wait_for};
use crate::support::traffic::{listen, loopback, lose_one_in};

const PATIENCE: Duration = Duration::from_secs(30);

/// Each time a SYN is lost and sent again: one each, which is all that the socket's own count shows both times.
pub fn counts_from_anew(hook: Hook) {
    isolated(move || {
        let running = Running::start(own(hook, Transport::Auto));
        let pairs = [false, true].map(|v6| {
            let (listener, port) = listen(loopback(v6));
            lose_one_in(&listener, 1);
            let server = SocketAddr::new(loopback(v6), port);
            let client = Socket::new(Domain::for_address(server), Type::STREAM, None).expect("socket");
            // A port that was asked for outlives the connection. It is one of this namespace's own, by which hits are found
            // that the machine hides from BPF. Nobody else is in this namespace.
            let (first, _) = own_ports().expect("ports");
            let client_port = if first == port { first + 1 } else { first };
            client.bind(&SocketAddr::new(loopback(v6), client_port).into()).expect("bind");
            client.set_nonblocking(true).expect("O_NONBLOCK");
            (client, server, listener)
        });
        for round in 1..=2 {
            for (client, server, _) in &pairs {
                client.connect(&(*server).into()).expect_err("nobody hears it");
            }
            wait_for("a SYN of each again", PATIENCE, || netstat("TCPSynRetrans") == 2 * round);
            for (client, ..) in &pairs {
                rustix::net::connect_unspec(client).expect("disconnecting");
            }
        }
        running.finish().assert_balanced(retrans_segs());
    });
}
