//! A storm of retransmissions in process context and in softirqs: no CPU goes blind by it.

use std::thread;
use std::time::Duration;

use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_source::config::{Hook, Transport};

use crate::cpus;
use crate::running::{Running, flow, own};
use crate::support::namespace::{isolated, retrans_segs, wait_for, wait_until_quiet, without_gso};
use crate::support::traffic::{Stuck, loopback, lossy_transfer};

/// Connections that time out again and again, in softirqs.
const STUCK: usize = 250;

/// A transfer sends again in process context, while the timers of stuck connections expire. A timer that interrupts a
/// run of the program would run the same program again. That is rare, and in most runs of this test it does not happen:
/// the test prints how often it did. `interrupted.rs` makes runs interrupt each other for certain, and
/// `tests/nesting.rs` is a model of all the ways in which they can. On kernels before 6.1 the program itself has to
/// cope, on others the kernel skips the inner run.
pub fn leaves_no_cpu_blind() {
    isolated(|| {
        without_gso();
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

        let after = cpus::allowed().into_iter().map(|cpu| {
            cpus::pin_to(cpu);
            (cpu, lossy_transfer(loopback(false), loopback(false), 4 << 20).client.port())
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
