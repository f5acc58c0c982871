//! TCP over loopback that loses packets: a classic BPF filter on the receiving socket drops every tenth at random.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, SockFilter, Socket, Type};

/// include/uapi/linux/filter.h: ancillary data start at -0x1000; a random number is at 56.
const RANDOM: u32 = 0xffff_f000 + 56;
const LOAD_WORD_ABSOLUTE: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const MODULO: u16 = 0x94; // BPF_ALU | BPF_MOD | BPF_K
const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

/// Drops one packet in `n`, or all with 1.
pub fn lose_one_in(socket: &Socket, n: u32) {
    let filter = [
        SockFilter::new(LOAD_WORD_ABSOLUTE, 0, 0, RANDOM),
        SockFilter::new(MODULO, 0, 0, n),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, 0),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    socket.attach_filter(&filter).expect("SO_ATTACH_FILTER");
}

/// Loopback of an IP version.
pub fn loopback(ipv6: bool) -> IpAddr {
    if ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
}

/// A listener on a free port of `address`; IPv4 clients reach one on `::` too.
pub fn listen(address: IpAddr) -> (Socket, u16) {
    let socket =
        Socket::new(Domain::for_address(SocketAddr::new(address, 0)), Type::STREAM, None).expect("socket");
    socket.bind(&SocketAddr::new(address, 0).into()).expect("bind");
    socket.listen(8).expect("listen");
    let port = socket.local_addr().expect("address").as_socket().expect("IP").port();
    (socket, port)
}

/// Who talked to whom.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The sender's address.
    pub client: SocketAddr,
    /// The receiver's address.
    pub server: SocketAddr,
}

/// Connections that get nothing through until this is dropped: each sends its byte again after 200 ms, 400 ms, …, all of
/// them at about the same moment.
pub struct Stuck {
    accepted: Vec<Socket>,
    clients: Vec<TcpStream>,
}

impl Stuck {
    /// So many connections to a listener at `address`. The limit of descriptors of this process is raised for them, and
    /// for as many of the other IP version.
    pub fn new(address: IpAddr, connections: usize) -> Stuck {
        allow_descriptors(5 * connections as u64);
        let (listener, port) = listen(address);
        let mut stuck = Stuck { accepted: Vec::new(), clients: Vec::new() };
        for _ in 0..connections {
            let client = TcpStream::connect(SocketAddr::new(address, port)).expect("connect");
            let (accepted, _) = listener.accept().expect("accept");
            lose_one_in(&accepted, 1);
            stuck.accepted.push(accepted);
            stuck.clients.push(client);
        }
        for client in &mut stuck.clients {
            client.write_all(&[7]).expect("write");
        }
        stuck
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        for accepted in &self.accepted {
            accepted.detach_filter().expect("SO_DETACH_FILTER");
        }
        self.clients.clear(); // they send first, and so the accepted ones reset nothing
    }
}

/// Raises this process's limit of descriptors to `needed`, if it is lower.
pub fn allow_descriptors(needed: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let at_least = |limit: Option<u64>| limit.map(|limit| limit.max(needed));
    let raised = Rlimit { current: at_least(current), maximum: at_least(maximum) };
    setrlimit(Resource::Nofile, raised).expect("RLIMIT_NOFILE");
}

/// Where the machine is slow, `OTEL_TCPRETRANS_TRAFFIC_DIVISOR` makes the traffic less: what is left of an amount that
/// is meant for a fast one.
pub fn scaled(amount: usize) -> usize {
    let divisor = std::env::var("OTEL_TCPRETRANS_TRAFFIC_DIVISOR");
    amount / divisor.map_or(1, |divisor| divisor.parse().expect("OTEL_TCPRETRANS_TRAFFIC_DIVISOR"))
}

/// Sends `bytes`, scaled, from a client to a server at `address`, which loses one packet in ten, and ends the connection.
pub fn lossy_transfer(listener_at: IpAddr, connect_to: IpAddr, bytes: usize) -> Connection {
    lossy_transfer_by(listener_at, connect_to, bytes, |_| ())
}

/// The same, with a client that `prepare` changes before it sends.
pub fn lossy_transfer_by(
    listener_at: IpAddr,
    connect_to: IpAddr,
    bytes: usize,
    prepare: impl FnOnce(&TcpStream),
) -> Connection {
    let bytes = scaled(bytes);
    let (listener, port) = listen(listener_at);
    let server = thread::spawn(move || {
        let (accepted, _) = listener.accept().expect("accept");
        lose_one_in(&accepted, 10);
        accepted.set_read_timeout(Some(Duration::from_secs(30))).expect("timeout");
        let mut accepted = TcpStream::from(accepted);
        let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
        loop {
            match accepted.read(&mut buffer).expect("read") {
                0 => break total,
                read => total += read,
            }
        }
    });
    let to = SocketAddr::new(connect_to, port);
    let mut client = TcpStream::connect(to).expect("connect");
    client.set_write_timeout(Some(Duration::from_secs(30))).expect("timeout");
    prepare(&client);
    let connection = Connection { client: client.local_addr().expect("address"), server: to };
    client.write_all(&vec![7; bytes]).expect("write");
    client.shutdown(Shutdown::Write).expect("shutdown");
    assert_eq!(server.join().expect("server"), bytes);
    connection
}
