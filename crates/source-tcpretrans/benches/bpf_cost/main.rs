//! What a retransmission costs in BPF: our programs by hook, transport and wakeups, beside the classic way and bpftrace.
//!
//! The kernel's own run statistics, under a storm that does not end. One candidate at a time is attached to it: of several
//! the first would pay for the socket's cold cache lines, and a program on the classic tracepoint is skipped while another
//! tracing program runs. All candidates take their turn in each of several rounds, so that what else the machine does
//! meanwhile meets all of them. The empty programs take theirs alone too: beside a candidate they would warm the cache
//! for it, or be warmed; so theirs is the price of being called and of the statistics' clock, which each candidate's
//! time holds as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod candidate;
mod compile;
mod connections;
mod ends;
mod lone;
mod programs;
#[path = "../../../../benches/report/mod.rs"]
mod report;
mod storm;
#[allow(dead_code)] // of the tests, which use more of it
#[path = "../../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use candidate::{Attached, Candidate};
use otel_tcpretrans_source::config::{Hook, Transport};
use programs::{Cost, RETRANSMISSION, RunStatistics, cost_of};
use report::{Limit, Section, median};
use storm::Storm;

/// Of each candidate's runs, in each round.
const RUNS: u64 = 5000;
const ROUNDS: usize = 5;
/// How long a candidate may take for one round, its start included.
const DEADLINE: Duration = Duration::from_secs(60);
/// The exit code for what can't run here.
const UNSUPPORTED: u8 = 77;

fn main() -> ExitCode {
    let capabilities = rustix::thread::capabilities(None).expect("capget").effective;
    if !capabilities.contains(rustix::thread::CapabilitySet::SYS_ADMIN) {
        eprintln!("bpf_cost: needs root (CAP_SYS_ADMIN: namespaces, BPF)");
        return ExitCode::from(UNSUPPORTED);
    }
    match support::namespace::isolated(|| measure().map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bpf_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn candidates() -> Vec<Candidate> {
    let mut all = Vec::new();
    for hook in [Hook::TpBtf, Hook::Tracepoint] {
        all.push(Candidate::Empty(hook));
        for transport in [Transport::Ringbuf, Transport::Perf] {
            for wakes_for_each in [false, true] {
                all.push(Candidate::Ours { hook, transport, wakes_for_each });
            }
        }
    }
    all.extend([Candidate::ClassicWay, Candidate::Bpftrace]);
    all
}

/// A candidate's ns a run, one number a round.
struct Measured {
    candidate: Candidate,
    rounds: Vec<f64>,
}

fn measure() -> Result<(), Box<dyn Error>> {
    let mut all: Vec<_> =
        candidates().into_iter().map(|candidate| Measured { candidate, rounds: Vec::new() }).collect();
    let lone = lone::measure(ROUNDS)?;
    let connections = connections::measure(ROUNDS)?;
    let _statistics = RunStatistics::enable()?;
    let ends = ends::measure(ROUNDS)?;
    let in_programs = connections::in_programs(ROUNDS)?;
    let pass = connections::pass(ROUNDS)?;
    // With so few flows, cubic would wait more than it retransmits.
    let _storm = Storm::start(8, "bbr")?;
    for round in 1..=ROUNDS {
        eprintln!("bpf_cost: round {round} of {ROUNDS}");
        for Measured { candidate, rounds } in &mut all {
            let attached = candidate.attach().map_err(|error| format!("{candidate}: {error}"))?;
            let cost = cost_under_storm(&attached).map_err(|error| format!("{candidate}: {error}"))?;
            rounds.push(cost.a_run());
        }
    }
    report(&all, &ends, &lone)?;
    report_owners(&connections, &in_programs, &pass)?;
    Ok(())
}

/// Waits until the candidate has run often enough.
fn cost_under_storm(attached: &Attached) -> Result<Cost, Box<dyn Error>> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let cost = cost_of(attached.pid(), RETRANSMISSION)?;
        if cost.runs >= RUNS {
            return Ok(cost);
        }
        if Instant::now() > deadline {
            return Err(format!("{} runs after {DEADLINE:?}", cost.runs).into());
        }
        std::thread::sleep(Duration::from_millis(20)); // between looks, not instead of one
    }
}

/// By round: what it costs above the empty program on its hook.
fn net(of: &Measured, all: &[Measured]) -> Vec<f64> {
    let empty = Candidate::Empty(of.candidate.hook());
    let empty = all.iter().find(|other| other.candidate == empty).expect("an empty program on each hook");
    of.rounds.iter().zip(&empty.rounds).map(|(raw, empty)| raw - empty).collect()
}

/// By round: how often one's net cost fits into the classic way's.
fn classic_ways(of: &Measured, all: &[Measured]) -> Vec<f64> {
    let classic =
        all.iter().find(|other| other.candidate == Candidate::ClassicWay).expect("it is one of them");
    net(classic, all).iter().zip(net(of, all)).map(|(classic, net)| classic / net).collect()
}

fn report(all: &[Measured], ends: &[f64], lone: &[f64]) -> std::io::Result<()> {
    let title =
        "Cost of a retransmission in BPF (ns by the kernel's run statistics; net: above the empty program)";
    let mut section = Section::new(title, &["net", "the classic way is"]);
    for measured in all {
        let beside = match measured.candidate {
            Candidate::Empty(_) => [None, None],
            _ => [net(measured, all), classic_ways(measured, all)].map(|rounds| Some(median(&rounds))),
        };
        section.row(&measured.candidate.to_string(), "ns", &measured.rounds, &beside);
    }
    let empty =
        all.iter().find(|other| other.candidate == Candidate::Empty(Hook::TpBtf)).expect("one of them");
    let above: Vec<_> = ends.iter().zip(&empty.rounds).map(|(raw, empty)| raw - empty).collect();
    section.row("tp_btf, a socket ends without one", "ns", ends, &[Some(median(&above)), None]);
    section.row("a lone retransmission, until it is in the flow stage", "us", lone, &[None, None]);
    let by_default = |transport| {
        let ours = Candidate::Ours { hook: Hook::TpBtf, transport, wakes_for_each: false };
        all.iter().find(|measured| measured.candidate == ours).expect("it is one of them")
    };
    let (ring, perf) = (by_default(Transport::Ringbuf), by_default(Transport::Perf));
    for (measured, times) in [(ring, 25.0), (perf, 6.0)] {
        let name = format!("the classic way / ({})", measured.candidate);
        section.bound(&name, median(&classic_ways(measured, all)), Limit::AtLeast(times), "times");
    }
    let name = format!("net of ({})", ring.candidate);
    section.bound(&name, median(&net(ring, all)), Limit::AtMost(600.0), "ns");
    section.bound(&format!("aim: {name}"), median(&net(ring, all)), Limit::AtMost(300.0), "ns");
    section.bound("a lone retransmission", median(lone), Limit::AtMost(5000.0), "us");
    section.finish("bpf_cost")
}

/// What the owners cost beside the retransmissions.
fn report_owners(
    (without, with): &(Vec<f64>, Vec<f64>),
    in_programs: &[f64],
    (pass, file): &(Vec<f64>, Vec<f64>),
) -> std::io::Result<()> {
    let mut section = Section::new("Cost of knowing the owners", &["with / without"]);
    let ratios = with.iter().zip(without).map(|(with, without)| with / without);
    let ratio = median(&ratios.collect::<Vec<_>>());
    section.row("a connection over loopback, no receiver", "us", without, &[None]);
    section.row("a connection over loopback, a receiver", "us", with, &[Some(ratio)]);
    section.row("of that, in the program (all changes of state of both sockets)", "ns", in_programs, &[None]);
    section.row("the pass at the start over 10,000 sockets, and what else is open", "ms", pass, &[None]);
    section.row("the pass, one file", "ns", file, &[None]);
    section.finish("owners")
}
