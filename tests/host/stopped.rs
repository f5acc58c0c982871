//! A reader that is stopped during a storm. What it missed comes back, and the sums are the kernel's.

use std::time::Duration;

use rustix::process::Signal;

use crate::e2e::agent::Agent;
use crate::e2e::support::namespace::{isolated, mib, retrans_segs, wait_for, without_gso};
use crate::e2e::traffic::lossy_transfers;

/// Buffers so small that a storm of some seconds fills them many times.
const SMALL: &str = "perf: { pages_per_cpu: 1 }, ringbuf: { size: 64KiB }";

/// SIGSTOP, a storm, SIGCONT, another storm.
pub fn sums_equal_the_kernel(transport: &'static str) {
    isolated(move || {
        without_gso(); // one event per segment
        let mut agent =
            Agent::start(&format!("receivers: {{ tcpretrans: {{ transport: {transport}, {SMALL} }} }}"));
        lossy_transfers(4, &[]);
        agent.0.signal(Signal::STOP);
        let before = retrans_segs();
        lossy_transfers(16, &[]);
        assert!(retrans_segs() - before > 1000, "no storm");
        agent.0.signal(Signal::CONT);
        wait_for("the gap", Duration::from_secs(20), || agent.0.stdout().contains(" gap "));
        let traffic = lossy_transfers(4, &[]);
        let finished = agent.finish();

        let (printed, books) = (finished.printed, finished.books);
        assert!(books.unobserved() > 0, "nothing was lost: {books:?}");
        printed.assert_counted(&books, traffic.retrans_segs, &traffic.connections);
        let sums = printed.sums().into_iter();
        let of_fast = sums.filter(|((metric, attributes), _)| {
            metric == "system.network.tcp.retransmits" && attributes["network.tcp.retransmit.type"] == "fast"
        });
        let fast: u64 = of_fast.map(|(_, sum)| sum).sum();
        let kernels = mib("netstat", "TcpExt", "TCPFastRetrans");
        println!("    TCPFastRetrans {kernels}, ours {fast}");
        // Segments that a later event added to the sums have the type of that event.
        assert!(fast.abs_diff(kernels) * 100 <= kernels, "{fast} of {kernels}");
    });
}
