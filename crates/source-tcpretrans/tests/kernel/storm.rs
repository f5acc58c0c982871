//! A storm in which programs interrupt each other: each hit is told of all the same, and the count is exact.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread;

use nix::libc;
use otel_tcpretrans_source::config::{Config, Hook, Transport};
use otel_tcpretrans_source::facts::Facts;

use crate::cpus;
use crate::running::{Running, own};
use crate::support::namespace::{isolated, retrans_segs, wait_until_quiet, without_gso};
use crate::support::traffic::{loopback, lossy_transfer_by, scaled};

/// So many receivers see the same storm. Each makes the hits longer, and so likelier to be interrupted.
const RECEIVERS: usize = 50;
/// Storms, at least. More come until a program was interrupted.
const ROUNDS: &str = "OTEL_TCPRETRANS_STORMS";
const AT_MOST: usize = 20;
const CONNECTIONS: usize = 32;
const BYTES: usize = 1 << 20;
/// Bytes per second of those connections that are paced. Their segments go out by timers, in softirqs of the CPU on which
/// the other connections send in process context.
const PACE: u32 = 4_000_000;

/// Every receiver's count equals the kernel's, and where a program was interrupted, the second one told of the hit. In a
/// virtual machine with less traffic that may not happen.
pub fn every_count_is_exact() {
    let rounds = std::env::var(ROUNDS).map_or(1, |rounds| rounds.parse().expect(ROUNDS));
    let storage = Facts::probe().unwrap().btf.expect("BTF").socket_storage;
    let must_happen = storage && scaled(RECEIVERS) == RECEIVERS;
    let mut interrupting = 0;
    for round in 1..=AT_MOST.max(rounds) {
        interrupting += isolated(round_of);
        if round >= rounds && (interrupting > 0 || !must_happen) {
            println!(
                "    {round} storms; {interrupting} hits interrupted the program that was to tell of them"
            );
            return;
        }
    }
    panic!("no program was interrupted: this storm shows nothing");
}

/// Returns how many hits the second programs told of.
fn round_of() -> u64 {
    without_gso();
    let config = Config { channel_capacity: 1 << 16, ..own(Hook::TpBtf, Transport::Auto) };
    let running: Vec<_> = (0..scaled(RECEIVERS).max(4)).map(|_| Running::start(config.clone())).collect();
    cpus::pin_to(cpus::allowed()[0]);
    let connections = (0..CONNECTIONS).map(|number| {
        let (address, is_paced) = (loopback(number % 4 < 2), number % 2 == 0);
        thread::spawn(move || {
            lossy_transfer_by(address, address, BYTES, |client| {
                if is_paced {
                    set_pace(client, PACE).expect("SO_MAX_PACING_RATE");
                }
            })
        })
    });
    let connections: Vec<_> = connections.collect();
    for connection in connections {
        connection.join().unwrap();
    }
    wait_until_quiet();
    let retrans = retrans_segs();
    let interrupting = running.into_iter().map(|running| {
        let seen = running.finish();
        assert_eq!(seen.unobserved(), seen.recursions(), "{:?}", seen.counts);
        seen.assert_balanced(retrans);
        let gauges = &seen.counts.gauges;
        gauges.iter().find(|(gauge, _)| gauge.name == "interrupting_events").expect("the gauge").1
    });
    interrupting.sum()
}

fn set_pace(client: &TcpStream, bytes_per_second: u32) -> io::Result<()> {
    let (value, length) = (&raw const bytes_per_second, size_of_val(&bytes_per_second) as libc::socklen_t);
    let (level, option) = (libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE);
    // SAFETY: the descriptor is open, and the kernel reads `length` bytes of the value, which lives until then.
    let result = unsafe { libc::setsockopt(client.as_raw_fd(), level, option, value.cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
