//! The receiver on a real kernel: what it reports is what the kernel counted. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

mod audit;
mod cpus;
mod failures;
mod hindered;
mod interrupted;
mod lone;
mod nested;
mod overflow;
mod owners;
mod panics;
mod reconnect;
mod running;
mod scenarios;
mod side_by_side;
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod synacks;

use std::fs::File;
use std::io::{BufReader, Seek};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError};
use otel_tcpretrans_pipeline::record::{NetworkType, Record};
use otel_tcpretrans_source::config::{Config, Hook, Perf, Scope, Transport};
use otel_tcpretrans_source::facts::Facts;
use otel_tcpretrans_source::recording::Reader;
use otel_tcpretrans_source::{Recorder, Tcpretrans, decode};
use running::{Running, flow, hooks, own, tcp};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::param::page_size;
use support::harness::Case;
use support::namespace::{isolated, netns_inode, retrans_segs, wait_until_quiet, without_gso};
use support::traffic::{loopback, lossy_transfer, scaled};

fn main() -> ExitCode {
    if owners::play() {
        return ExitCode::SUCCESS;
    }
    let cases: &[Case] = &[
        ("tp_btf_ringbuf_counts_what_the_kernel_counts", || counts(Hook::TpBtf, Transport::Ringbuf)),
        ("without_gso_counts_are_the_same", without_gso_counts_are_the_same),
        ("tp_btf_perf_counts_what_the_kernel_counts", || counts(Hook::TpBtf, Transport::Perf)),
        ("tracepoint_ringbuf_counts_what_the_kernel_counts", || counts(Hook::Tracepoint, Transport::Ringbuf)),
        ("tracepoint_perf_counts_what_the_kernel_counts", || counts(Hook::Tracepoint, Transport::Perf)),
        ("an_ipv4_mapped_peer_is_ipv4", an_ipv4_mapped_peer_is_ipv4),
        ("scope_netns_leaves_other_namespaces_out", scope_netns_leaves_other_namespaces_out),
        ("scope_cgroup_takes_its_own_sockets", scope_cgroup_takes_its_own_sockets),
        ("what_the_kernel_offers_is_in_the_events", what_the_kernel_offers_is_in_the_events),
        ("a_real_enomem_halves_the_pages", a_real_enomem_halves_the_pages),
        (
            "an_eperm_within_the_memlock_budget_halves_the_pages",
            an_eperm_within_the_memlock_budget_halves_the_pages,
        ),
        ("synack_false_reports_none", synacks::none_where_they_are_off),
        ("a_fast_open_child_is_counted_once_by_tp_btf", || synacks::of_a_fast_open_child(Hook::TpBtf)),
        ("a_fast_open_child_is_counted_once_by_tracepoint", || {
            synacks::of_a_fast_open_child(Hook::Tracepoint)
        }),
        ("a_socket_connected_again_counts_from_anew_by_tp_btf", || reconnect::counts_from_anew(Hook::TpBtf)),
        ("a_socket_connected_again_counts_from_anew_by_tracepoint", || {
            reconnect::counts_from_anew(Hook::Tracepoint)
        }),
        ("a_failure_as_the_first_event_is_counted_by_tp_btf", || failures::as_the_first_event(Hook::TpBtf)),
        ("a_failure_as_the_first_event_is_counted_by_tracepoint", || {
            failures::as_the_first_event(Hook::Tracepoint)
        }),
        ("both_transports_carry_the_same_events", side_by_side::both_transports_carry_the_same_events),
        ("a_lone_event_always_wakes_the_reader", lone::each_wakes_the_reader),
        ("a_full_ringbuf_is_counted_and_healed", || overflow::of_the_buffer(Transport::Ringbuf)),
        ("a_full_perf_buffer_is_counted_and_healed", || overflow::of_the_buffer(Transport::Perf)),
        ("a_full_channel_is_counted_and_healed_by_ringbuf", || overflow::of_the_channel(Transport::Ringbuf)),
        ("a_full_channel_is_counted_and_healed_by_perf", || overflow::of_the_channel(Transport::Perf)),
        ("where_programs_interrupt_each_other_every_count_is_exact", storm::every_count_is_exact),
        ("the_audit_shows_the_difference_that_a_test_makes", audit::shows_the_difference_that_a_test_makes),
        ("nested_runs_leave_no_cpu_blind", nested::leaves_no_cpu_blind),
        (
            "interrupted_runs_are_counted_and_their_cpu_sees_the_next",
            interrupted::runs_are_counted_and_their_cpu_sees_the_next,
        ),
        ("a_panic_in_a_callback_leaves_balanced_books_by_ringbuf", || {
            panics::leave_balanced_books(Transport::Ringbuf)
        }),
        ("a_panic_in_a_callback_leaves_balanced_books_by_perf", || {
            panics::leave_balanced_books(Transport::Perf)
        }),
        ("stops_without_start_and_twice_and_starts_again", stops_without_start_and_twice_and_starts_again),
        ("whatever_step_fails_everything_is_released", whatever_step_fails_everything_is_released),
    ];
    support::harness::main(&[cases, owners::CASES, hindered::CASES, scenarios::CASES].concat())
}

const MIB: usize = 1 << 20;

/// A little traffic that loses for certain: hundreds of packets of one segment.
fn lose_some() {
    without_gso();
    lossy_transfer(loopback(false), loopback(false), 4 * MIB);
    wait_until_quiet();
}

fn counts(hook: Hook, transport: Transport) {
    isolated(move || {
        let before = retrans_segs();
        let running = Running::start(own(hook, transport));
        let connections = [false, true].map(|v6| lossy_transfer(loopback(v6), loopback(v6), 32 * MIB));
        wait_until_quiet();
        let retrans = retrans_segs() - before;
        let seen = running.finish();

        assert!(retrans > scaled(1000) as u64, "the link did not lose: {retrans}");
        assert_eq!(seen.unobserved(), seen.recursions(), "{:?}", seen.counts);
        seen.assert_balanced(retrans);
        seen.assert_reasons();
        for (connection, version) in connections.iter().zip([NetworkType::Ipv4, NetworkType::Ipv6]) {
            let of = |local, peer| {
                let ends = move |r: &&Record| (flow(r).local, flow(r).peer) == (local, peer);
                seen.records.iter().filter(ends)
            };
            let client: Vec<_> = of(connection.client, connection.server).collect();
            assert!(!client.is_empty(), "nothing from {connection:?}");
            for record in client {
                assert_eq!(record.class.network_type, version);
                assert_eq!(flow(record).netns_inode, Some(netns_inode()));
                let (failed, tcp) = (record.errno().is_some(), tcp(record));
                assert!(failed || record.amounts.segments >= 1, "{record:?}");
                assert!(tcp.cwnd >= 1 && tcp.mss > 500, "{record:?}");
                assert!(tcp.rtt.is_some_and(|rtt| rtt < Duration::from_secs(5)), "{record:?}");
                let room = record.amounts.segments * u64::from(tcp.mss);
                assert!(failed || record.amounts.bytes <= room, "{record:?}");
            }
        }
        let info: Vec<_> = seen.counts.info.iter().map(|(_, value)| value.as_str()).collect();
        let hook = if hook == Hook::TpBtf { "tp_btf" } else { "tracepoint" };
        let transport = if transport == Transport::Perf { "perf" } else { "ringbuf" };
        assert_eq!(info[..2], [hook, transport]);
    });
}

/// One event a segment: thousands of them.
fn without_gso_counts_are_the_same() {
    isolated(|| {
        without_gso();
        let before = retrans_segs();
        let running = Running::start(own(Hook::Auto, Transport::Auto));
        lossy_transfer(loopback(false), loopback(false), 12 * MIB);
        lossy_transfer(loopback(true), loopback(true), 12 * MIB);
        wait_until_quiet();
        let retrans = retrans_segs() - before;
        let seen = running.finish();
        let records = &seen.records;
        assert!(records.len() > scaled(1000), "{}", records.len());
        let alone = records.iter().filter(|record| record.amounts.segments == 1).count();
        assert!(alone * 100 > records.len() * 99, "{alone} of {}", records.len()); // more is what was not seen before
        seen.assert_balanced(retrans);
        seen.assert_reasons();
    });
}

fn an_ipv4_mapped_peer_is_ipv4() {
    isolated(|| {
        without_gso(); // of a few large packets none may be lost
        let running = Running::start(own(Hook::Auto, Transport::Auto));
        let any: IpAddr = "::".parse().unwrap();
        let v4 = loopback(false);
        // The server listens on ::, so its socket is IPv6; the client reaches it through a mapped address as well.
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        lossy_transfer(any, mapped, 4 * MIB);
        wait_until_quiet();
        let seen = running.finish();
        assert!(!seen.records.is_empty());
        for record in seen.records {
            assert_eq!(
                (record.class.network_type, flow(&record).peer.ip(), flow(&record).local.ip()),
                (NetworkType::Ipv4, v4, v4)
            );
        }
    });
}

fn scope_netns_leaves_other_namespaces_out() {
    isolated(|| {
        let inside = Running::start(own(Hook::Auto, Transport::Auto));
        let host = Running::start(Config { scope: Scope::Host, ..own(Hook::Auto, Transport::Auto) });
        let elsewhere = isolated(|| {
            lose_some();
            netns_inode()
        });
        lose_some();
        let here = netns_inode();
        let (inside, host) = (inside.finish().records, host.finish().records);
        let from =
            |records: &[Record], netns| records.iter().filter(|r| flow(r).netns_inode == Some(netns)).count();
        assert!(from(&inside, here) > 0 && from(&inside, elsewhere) == 0);
        assert_eq!(from(&inside, here), from(&host, here));
        assert!(from(&host, elsewhere) > 0);
    });
}

fn scope_cgroup_takes_its_own_sockets() {
    isolated(|| {
        let running = Running::start(Config { scope: Scope::Cgroup, ..own(Hook::Auto, Transport::Auto) });
        lose_some();
        let records = running.finish().records;
        assert!(!records.is_empty());
        assert!(records.iter().all(|record| flow(record).cgroup_id.is_some()));
    });
}

/// A record has all that this kernel offers, and nothing that it does not offer.
fn what_the_kernel_offers_is_in_the_events() {
    isolated(|| {
        let facts = Facts::probe().unwrap();
        let btf = facts.btf.expect("BTF");
        let offers = [
            ("err", btf.reports_err),
            ("cookie", btf.socket_cookie),
            ("storage", btf.socket_storage),
            ("preemption", btf.preemptible_tracepoints),
        ];
        let names = offers.map(|(name, there)| if there { name.to_owned() } else { format!("no {name}") });
        println!("    offers: {}", names.join(", "));
        for &hook in hooks() {
            let mut running = Running::start(own(hook, Transport::Auto));
            let mut file = File::from(memfd_create("recording", MemfdFlags::CLOEXEC).unwrap());
            let (mut recorder, recording) =
                Recorder::new(own(hook, Transport::Auto), file.try_clone().unwrap());
            recorder.start(chunk::channel(1).0).expect("start");
            lose_some();
            running.receiver.stop();
            recorder.stop();
            assert!(recording.recorded().failed.is_none());
            file.rewind().unwrap();
            let mut reader = Reader::new(BufReader::new(file)).unwrap();
            let mut recorded = 0;
            while let Some(event) = reader.next_event().unwrap() {
                if !decode(event.bytes, event.wall_offset_ns).unwrap().is_gap() {
                    assert_eq!(tells_err(event.bytes), btf.reports_err);
                    recorded += 1;
                }
            }
            assert!(recorded > 0);
            let mut seen = 0;
            let chunks = std::iter::from_fn(|| running.out.try_recv());
            for record in chunks.flat_map(|chunk| chunk.to_vec()) {
                if record.is_gap() {
                    continue; // no hook of a retransmission saw it
                }
                assert!(btf.reports_err || record.errno().is_none(), "{record:?}");
                let flow = flow(&record);
                if hook == Hook::TpBtf {
                    assert_eq!(flow.socket_cookie.is_some(), btf.socket_cookie, "{record:?}");
                }
                assert_eq!(flow.cgroup_id, facts.cgroup_id, "{record:?}");
                assert_eq!(flow.netns_inode, Some(netns_inode()), "{record:?}");
                seen += 1;
            }
            assert!(seen > 0);
        }
    });
}

/// True if the event says how its attempt ended: `UNKNOWN_ERR` is not set in `wire_event.unknown` (bpf/wire.h). A record
/// does not tell an attempt that succeeded from one whose end is unknown, because only successes are reported then.
fn tells_err(event: &[u8]) -> bool {
    const UNKNOWN: usize = 148;
    const UNKNOWN_ERR: u32 = 8;
    u32::from_ne_bytes(event[UNKNOWN..UNKNOWN + 4].try_into().unwrap()) & UNKNOWN_ERR == 0
}

fn a_real_enomem_halves_the_pages() {
    isolated(|| {
        let asked = 1 << 19; // the kernel's array of page pointers exceeds its largest allocation
        let running = Running::start(Config {
            perf: Perf { pages_per_cpu: asked },
            ..own(Hook::TpBtf, Transport::Perf)
        });
        let counts = running.counts();
        let (gauge, reached) = counts.gauges[0];
        assert_eq!(gauge.name, "perf_pages_per_cpu");
        assert!(reached >= 1 && reached < u64::from(asked) && reached.is_power_of_two(), "{reached}");
        let before = retrans_segs();
        lose_some();
        let retrans = retrans_segs() - before;
        running.finish().assert_balanced(retrans);
    });
}

/// Without CAP_IPC_LOCK the kernel gives what the memlock budget has, and says EPERM to more.
fn an_eperm_within_the_memlock_budget_halves_the_pages() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    isolated(|| {
        let mut own_capabilities = capabilities(None).unwrap();
        own_capabilities.effective.remove(CapabilitySet::IPC_LOCK);
        set_capabilities(None, own_capabilities).unwrap(); // this thread's, and those that it starts
        // libbpf takes the limit away where the kernel charges it with maps (before Linux 5.11).
        let budget = 8 * MIB as u64;
        let (soft, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
        setrlimit(Resource::RLIMIT_MEMLOCK, budget, hard).unwrap();
        let asked = u32::try_from(budget / page_size() as u64).unwrap().next_power_of_two() * 4;
        let perf = Perf { pages_per_cpu: asked };
        let running = Running::start(Config { perf, ..own(Hook::TpBtf, Transport::Perf) });
        setrlimit(Resource::RLIMIT_MEMLOCK, soft, hard).unwrap();
        let (_, reached) = running.counts().gauges[0];
        assert!(reached < u64::from(asked) && reached.is_power_of_two(), "{reached}");
        lose_some();
        assert!(!running.finish().records.is_empty());
    });
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn stops_without_start_and_twice_and_starts_again() {
    isolated(|| {
        Tcpretrans::new(Config::default()).stop();
        let before = descriptors();
        for transport in [Transport::Perf, Transport::Ringbuf] {
            let mut receiver = Tcpretrans::new(own(Hook::Auto, transport));
            for round in 1..=3 {
                let (out, mut events) = chunk::channel(1 << 16);
                receiver.start(out).expect("start");
                let (again, _) = chunk::channel(1);
                assert!(matches!(receiver.start(again), Err(ReceiverError::Failed(_))), "it runs already");
                lose_some();
                receiver.stop();
                receiver.stop();
                let mut got = 0;
                while let Some(chunk) = events.try_recv() {
                    got += chunk.len();
                }
                assert!(got > 0 && events.is_closed(), "round {round}");
            }
            let (out, _events) = chunk::channel(1);
            receiver.start(out).expect("start");
            drop(receiver); // while it runs
        }
        assert_eq!(descriptors(), before);
    });
}

/// Lets the process have only so many more descriptors, from none to enough: each start either works or fails at
/// another step.
fn whatever_step_fails_everything_is_released() {
    isolated(|| {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        for transport in [Transport::Perf, Transport::Ringbuf] {
            let before = descriptors();
            let mut receiver = Tcpretrans::new(own(Hook::Auto, transport));
            receiver.start(chunk::channel(1).0).expect("start");
            let all = descriptors();
            drop(receiver);
            let mut failures = 0;
            for spare in 0.. {
                let mut receiver = Tcpretrans::new(own(Hook::Auto, transport));
                let (out, events) = chunk::channel(1);
                setrlimit(Resource::RLIMIT_NOFILE, before as u64 - 1 + spare, hard).unwrap();
                let started = receiver.start(out);
                setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
                // What has started has all it needs: nothing is left to fail behind the starter's back.
                assert!(started.is_err() || descriptors() == all, "with {spare} descriptors to spare");
                receiver.stop();
                assert!(events.is_closed(), "the sender is gone, started or not");
                assert_eq!(descriptors(), before, "with {spare} descriptors to spare: {started:?}");
                if started.is_ok() {
                    break;
                }
                failures += 1;
            }
            assert!(failures > 3, "{failures}");
        }
    });
}
