//! A connection over loopback whose receiving side can be shut off: a classic BPF filter there drops all.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::traffic::{listen, loopback, lose_one_in};

/// Whom a scenario is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub ipv6: bool,
    /// Congestion control.
    pub control: &'static str,
}

impl Way {
    /// IPv4 and IPv6, by each congestion control that this kernel offers.
    pub fn all() -> Vec<Way> {
        let offered = fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control").unwrap();
        let controls = ["cubic", "reno", "bbr"].into_iter();
        let controls = controls.filter(|control| offered.split_whitespace().any(|other| other == *control));
        controls.flat_map(|control| [false, true].map(|ipv6| Way { ipv6, control })).collect()
    }

    pub fn address(self) -> IpAddr {
        loopback(self.ipv6)
    }

    /// A socket that is not connected yet.
    pub fn socket(self) -> Socket {
        let domain = Domain::for_address(SocketAddr::new(self.address(), 0));
        let socket = Socket::new(domain, Type::STREAM, None).expect("socket");
        socket.set_tcp_congestion(self.control.as_bytes()).expect("TCP_CONGESTION");
        socket
    }
}

/// A sender and a receiver.
pub struct Pair {
    pub way: Way,
    pub client: Socket,
    pub server: Socket,
}

impl Pair {
    pub fn connect(way: Way) -> Pair {
        let (listener, port) = listen(way.address());
        let client = way.socket();
        client.connect(&SocketAddr::new(way.address(), port).into()).expect("connect");
        let (server, _) = listener.accept().expect("accept");
        server.set_read_timeout(Some(Duration::from_secs(30))).expect("SO_RCVTIMEO");
        client.set_write_timeout(Some(Duration::from_secs(30))).expect("SO_SNDTIMEO");
        Pair { way, client, server }
    }

    /// From here on nothing gets through to the receiver.
    pub fn shut(&self) {
        lose_one_in(&self.server, 1);
    }

    pub fn open(&self) {
        self.server.detach_filter().expect("SO_DETACH_FILTER");
    }

    pub fn send(&self, bytes: usize) {
        (&self.client).write_all(&vec![7; bytes]).expect("write");
    }

    /// Waits for so many bytes.
    pub fn receive(&self, bytes: usize) {
        (&self.server).read_exact(&mut vec![0; bytes]).expect("read");
    }

    /// The sender's address and port, and the receiver's: two senders may have the same.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        let ends = [self.client.local_addr(), self.client.peer_addr()];
        ends.map(|end| end.expect("address").as_socket().expect("IP")).into()
    }

    /// Ends it as it should.
    pub fn end(self) {
        self.client.shutdown(Shutdown::Write).expect("shutdown");
        assert_eq!((&self.server).read(&mut [0]).expect("read"), 0);
    }

    /// Ends it at once, whatever is still to be sent.
    pub fn abort(self) {
        self.client.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
        self.open();
    }
}
