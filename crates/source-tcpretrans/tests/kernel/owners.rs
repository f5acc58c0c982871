//! Whose socket sent again: the process that opened it, that accepted it, or that listens, and no other. The processes are
//! this program, started again in a part that its environment names.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use otel_tcpretrans_pipeline::record::{Owner, Record};
use otel_tcpretrans_source::config::{Hook, Transport};
use otel_tcpretrans_source::facts::Facts;
use socket2::{Domain, SockFilter, Socket, Type};

use crate::running::{Running, flow, own};
use crate::support::harness::Case;
use crate::support::namespace::{isolated, retrans_segs, wait_for, wait_until_quiet};
use crate::support::syns::Syns;
use crate::support::traffic::{listen, loopback, scaled};

pub const CASES: &[Case] = &[
    ("owners::of_short_lived_processes", of_short_lived_processes),
    ("owners::of_accepted_connections", of_accepted_connections),
    ("owners::of_sockets_from_before_the_start", of_sockets_from_before_the_start),
    ("owners::of_a_syn_ack_is_the_listener_s", of_a_syn_ack_is_the_listener_s),
];

const PATIENCE: Duration = Duration::from_secs(30);
/// Names the part that this process is to play.
const PART: &str = "OTEL_TCPRETRANS_TEST_PART";

/// Plays the part that the environment names. Returns whether it names one.
pub fn play() -> bool {
    let Ok(part) = std::env::var(PART) else { return false };
    let (name, argument) = part.split_once(' ').expect("a part and its argument");
    match name {
        "client" => client(argument.parse().expect("an address"), false),
        "patient_client" => client(argument.parse().expect("an address"), true),
        "sleeper" => drop(std::io::stdin().read(&mut [0])),
        "acceptor" => accept(argument.parse().expect("a descriptor")),
        _ => panic!("{part} is no part"),
    }
    true
}

/// Connects, says its address, sends a byte and is gone. A patient one sends when it is told to.
fn client(server: SocketAddr, waits: bool) {
    let mut stream = TcpStream::connect(server).expect("connect");
    say(stream.local_addr().expect("address"));
    if waits {
        std::io::stdin().read_exact(&mut [0]).expect("the word");
    }
    stream.write_all(&[7]).expect("write");
}

/// Accepts one connection of a listener that another process made, sends a byte, and says the other side's address.
fn accept(listener: i32) {
    // SAFETY: this process was started with this descriptor open for it, and nobody else here knows of it.
    let listener = TcpListener::from(unsafe { OwnedFd::from_raw_fd(listener) });
    let (mut accepted, client) = listener.accept().expect("accept");
    accepted.write_all(&[7]).expect("write");
    say(client);
    std::io::stdin().read_exact(&mut [0]).expect("the word");
}

fn say(address: SocketAddr) {
    println!("{address}");
    std::io::stdout().flush().expect("stdout");
}

/// A process that plays a part. It is ended with the test.
pub struct Player {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Player {
    pub fn start(part: &str) -> Player {
        let mut itself = Command::new(std::env::current_exe().expect("this program"));
        let started = itself.env(PART, part).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("starting it");
        let said = BufReader::new(process.stdout.take().expect("its stdout"));
        Player { process, said }
    }

    fn said(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("what it says");
        line.trim().parse().expect("an address")
    }

    fn go_on(&mut self) {
        let stdin = self.process.stdin.as_mut().expect("its stdin");
        stdin.write_all(&[7]).expect("the word");
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
        self.process.wait().expect("its end");
    }
}

/// Drops each packet with payload that comes to the socket, or to a child of the listener. Handshakes pass.
fn lose_data(socket: &Socket) {
    const LOAD_BYTE_ABSOLUTE: u16 = 0x30; // BPF_LD | BPF_B | BPF_ABS
    const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
    const RIGHT_SHIFT: u16 = 0x74; // BPF_ALU | BPF_RSH | BPF_K
    const TO_X: u16 = 0x07; // BPF_MISC | BPF_TAX
    const LOAD_LENGTH: u16 = 0x80; // BPF_LD | BPF_W | BPF_LEN
    const SUBTRACT_X: u16 = 0x1c; // BPF_ALU | BPF_SUB | BPF_X
    const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const DATA_OFFSET: u32 = 12; // RFC 9293, section 3.1: in words of four bytes, in the upper half
    let filter = [
        SockFilter::new(LOAD_BYTE_ABSOLUTE, 0, 0, DATA_OFFSET),
        SockFilter::new(AND, 0, 0, 0xf0),
        SockFilter::new(RIGHT_SHIFT, 0, 0, 2),
        SockFilter::new(TO_X, 0, 0, 0),
        SockFilter::new(LOAD_LENGTH, 0, 0, 0),
        SockFilter::new(SUBTRACT_X, 0, 0, 0),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ];
    socket.attach_filter(&filter).expect("SO_ATTACH_FILTER");
}

/// The command of a process: its own, not that of one of its threads.
fn command_of(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).expect("comm").trim_end().to_owned()
}

/// Whether this kernel can know owners; and whether it knows who accepts.
fn offers(running: &Running) -> (bool, bool) {
    let owner = running.counts().info.iter().find(|(name, _)| *name == "owner").expect("a fact").1.clone();
    println!("    owner of an accepted connection: {owner}");
    let storage = Facts::probe().unwrap().btf.expect("BTF").socket_storage;
    assert_eq!(owner != "unknown", storage);
    (storage, owner == "acceptor")
}

/// Each record that claims an owner has the expected one, as `expected` has it by the address that `end` chooses. Returns
/// how many claim one, and how many claim none.
fn check(
    records: &[Record],
    end: impl Fn(&Record) -> SocketAddr,
    expected: &HashMap<SocketAddr, (u32, String)>,
) -> (usize, usize) {
    let (mut right, mut unknown) = (0, 0);
    for record in records {
        let Some((pid, command)) = expected.get(&end(record)) else { continue };
        match record.owner {
            Some(Owner { pid: said, command: named }) => {
                assert_eq!((said, named.as_str()), (*pid, command.as_str()), "{record:?}");
                right += 1;
            }
            None => unknown += 1,
        }
    }
    (right, unknown)
}

fn local(record: &Record) -> SocketAddr {
    flow(record).local
}

fn peer(record: &Record) -> SocketAddr {
    flow(record).peer
}

/// They have ended when their byte is sent again.
fn of_short_lived_processes() {
    isolated(|| {
        let count = scaled(200);
        let mut running = Running::start(own(Hook::TpBtf, Transport::Auto));
        let (known, _) = offers(&running);
        let listeners = [false, true].map(|v6| {
            let (listener, port) = listen(loopback(v6));
            listener.listen(count as i32).expect("listen");
            lose_data(&listener);
            (listener, SocketAddr::new(loopback(v6), port))
        });
        let mut expected = HashMap::new();
        let mut accepted = Vec::new();
        for number in 0..count {
            let (listener, server) = &listeners[number % 2];
            let mut player = Player::start(&format!("client {server}"));
            let (pid, command) = (player.process.id(), command_of(player.process.id()));
            expected.insert(player.said(), (pid, command));
            accepted.push(listener.accept().expect("accept").0);
            assert!(player.process.wait().expect("its end").success());
        }
        running.wait_until("an event of each", PATIENCE, |records| {
            expected.keys().all(|end| records.iter().any(|record| local(record) == *end))
        });
        for accepted in &accepted {
            accepted.detach_filter().expect("SO_DETACH_FILTER");
        }
        drop(accepted);
        wait_until_quiet();
        let seen = running.finish();
        let (right, unknown) = check(&seen.records, local, &expected);
        println!("    {count} processes; {right} events name the right one, {unknown} name none");
        assert!(if known { unknown == 0 && right >= count } else { right == 0 });
        seen.assert_balanced(retrans_segs());
    });
}

/// Several processes share a listener that this process made.
fn of_accepted_connections() {
    isolated(|| {
        let mut running = Running::start(own(Hook::TpBtf, Transport::Auto));
        let (known, by_acceptor) = offers(&running);
        let mut expected = HashMap::new();
        let (mut players, mut clients) = (Vec::new(), Vec::new());
        for v6 in [false, true] {
            let (listener, port) = listen(loopback(v6));
            listener.set_cloexec(false).expect("FD_CLOEXEC");
            for _ in 0..scaled(16).max(2) {
                let mut player = Player::start(&format!("acceptor {}", listener.as_raw_fd()));
                let server = SocketAddr::new(loopback(v6), port);
                let client = Socket::new(Domain::for_address(server), Type::STREAM, None).expect("socket");
                lose_data(&client);
                client.connect(&server.into()).expect("connect");
                let pid = if by_acceptor { player.process.id() } else { std::process::id() };
                expected.insert(player.said(), (pid, command_of(pid)));
                players.push(player);
                clients.push(client);
            }
        }
        running.wait_until("an event of each", PATIENCE, |records| {
            expected.keys().all(|end| records.iter().any(|record| peer(record) == *end))
        });
        for client in &clients {
            client.detach_filter().expect("SO_DETACH_FILTER");
        }
        drop(clients);
        for player in &mut players {
            player.go_on();
        }
        let seen = running.finish();
        let (right, unknown) = check(&seen.records, peer, &expected);
        println!("    {} processes; {right} events name the right one, {unknown} name none", players.len());
        assert!(if known { unknown == 0 && right >= players.len() } else { right == 0 });
    });
}

/// Another process's connection, a connection and a listener of this process.
fn of_sockets_from_before_the_start() {
    isolated(|| {
        let (listener, port) = listen(loopback(false));
        lose_data(&listener);
        let server = SocketAddr::new(loopback(false), port);
        let mut player = Player::start(&format!("patient_client {server}"));
        let mut before = TcpStream::connect(server).expect("connect");
        let own_pid = std::process::id();
        let mut expected = HashMap::from([
            (player.said(), (player.process.id(), command_of(player.process.id()))),
            (before.local_addr().expect("address"), (own_pid, command_of(own_pid))),
        ]);
        let accepted = [listener.accept(), listener.accept()].map(|accepted| accepted.expect("accept").0);
        before.write_all(&[7]).expect("write");
        wait_for("something sent again before the start", PATIENCE, || retrans_segs() > 0);

        let earliest = retrans_segs();
        let mut running = Running::start(own(Hook::TpBtf, Transport::Auto));
        let latest = retrans_segs();
        let (known, _) = offers(&running);
        player.go_on();
        // A child of the listener, which sends to a client that takes nothing.
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        lose_data(&client);
        client.connect(&server.into()).expect("connect");
        let (child, _) = listener.accept().expect("accept");
        let mut child = TcpStream::from(child);
        child.write_all(&[7]).expect("write");
        let of_child = |record: &Record| local(record) == server;
        running.wait_until("an event of each", PATIENCE, |records| {
            records.iter().any(of_child)
                && expected.keys().all(|end| records.iter().any(|record| local(record) == *end))
        });
        expected.insert(server, (own_pid, command_of(own_pid)));
        for accepted in &accepted {
            accepted.detach_filter().expect("SO_DETACH_FILTER");
        }
        client.detach_filter().expect("SO_DETACH_FILTER");
        drop((accepted, client, child, before));
        wait_until_quiet();
        let retrans = retrans_segs();
        let seen = running.finish();
        // What was sent again before the start is not told.
        let segments: u64 = seen.records.iter().map(|record| record.amounts.segments).sum();
        println!("    {earliest} segments sent again before the start, {segments} of {retrans} told");
        assert!(segments <= retrans - earliest && segments + seen.shortage() >= retrans - latest);
        let (right, unknown) = check(&seen.records, local, &expected);
        println!("    {right} events name the right process, {unknown} name none");
        assert!(if known { unknown == 0 && right >= 3 } else { right == 0 });
    });
}

fn of_a_syn_ack_is_the_listener_s() {
    isolated(|| {
        let mut running = Running::start(own(Hook::TpBtf, Transport::Auto));
        let (known, _) = offers(&running);
        let syns = Syns::new();
        syns.send();
        running.wait_until("a SYN-ACK", PATIENCE, |records| !records.is_empty());
        let pid = std::process::id();
        let owner = running.finish().records[0].owner.map(|owner| (owner.pid, owner.command.to_string()));
        assert_eq!(owner, known.then(|| (pid, command_of(pid))));
    });
}
