//! A storm in which runs of a program interrupt each other: no CPU goes blind by it.

use std::thread;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_source::config::{Hook, Transport};

use crate::limits::allow_connections;
use crate::running::{Running, flow, own};
use crate::support::namespace::{isolated, retrans_segs, wait_for, wait_until_quiet, without_gso};
use crate::support::traffic::{Stuck, loopback, lossy_transfer};

/// Connections that time out again and again, in softirqs.
const STUCK: usize = 250;

/// A transfer sends again in process context, where the timers of stuck connections interrupt it. Whether two runs
/// really meet is up to the kernel's timing, and is printed; `tests/nesting.rs` goes through all the ways in which they
/// can. On kernels before 6.1 the program itself has to cope, on others the kernel skips the inner run.
pub fn leaves_no_cpu_blind() {
    isolated(|| {
        without_gso();
        allow_connections(STUCK);
        let running = Running::start(own(Hook::TpBtf, Transport::Ringbuf));
        let stuck = [false, true].map(|v6| Stuck::new(loopback(v6), STUCK));
        let transfers = [false, true]
            .map(|v6| thread::spawn(move || lossy_transfer(loopback(v6), loopback(v6), 16 << 20)));
        for transfer in transfers {
            transfer.join().unwrap();
        }
        let rounds = 3 * 2 * STUCK as u64;
        wait_for("rounds of timeouts", Duration::from_secs(30), || retrans_segs() >= rounds);
        drop(stuck);

        let this = Pid::from_raw(0);
        let allowed = sched_getaffinity(this).unwrap();
        let cpus: Vec<usize> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap()).collect();
        let after = cpus.iter().map(|cpu| {
            let mut one = CpuSet::new();
            one.set(*cpu).unwrap();
            sched_setaffinity(this, &one).unwrap(); // this thread's, and those that it starts
            (*cpu, lossy_transfer(loopback(false), loopback(false), 4 << 20).client.port())
        });
        let after: Vec<_> = after.collect();
        wait_until_quiet();
        let seen = running.finish();

        println!("    {} events, {} found their program running", seen.records.len(), seen.recursions());
        for (cpu, port) in after {
            let is_here =
                |record: &Record| record.identity.is_some_and(|identity| identity.cpu as usize == cpu);
            let shown = seen
                .records
                .iter()
                .filter(|record| is_here(record) && flow(record).local.port() == port)
                .count();
            assert!(shown > 0, "CPU {cpu} showed nothing after the storm");
        }
        assert_eq!(seen.unobserved(), seen.recursions(), "{:?}", seen.counts);
        seen.assert_balanced(retrans_segs());
    });
}
