//! Buffers and channels that are too small: what does not fit is counted by its reason, and comes back as a gap.

use std::time::Duration;

use otel_tcpretrans_pipeline::config::{Interval, Size};
use otel_tcpretrans_pipeline::record::NetworkType;
use otel_tcpretrans_source::config::{Config, Hook, Perf, Ringbuf, Transport, Wakeup};
use rustix::param::page_size;

use crate::running::{Running, own};
use crate::support::namespace::{isolated, retrans_segs, wait_for, wait_until_quiet, without_gso};
use crate::support::traffic::{Stuck, loopback, lossy_transfer};

/// One page, and a reader that looks once a minute.
pub fn of_the_buffer(transport: Transport) {
    let page = page_size() as u64;
    overflows("ring_full", move || Config {
        wakeup: Wakeup { events: Some(1 << 30), interval: Some(Interval::from_secs(60)) },
        perf: Perf { pages_per_cpu: 1 },
        ringbuf: Ringbuf { size: Size::of_bytes(page) },
        ..own(Hook::Auto, transport)
    });
}

/// Room for one, and nobody takes it until the end.
pub fn of_the_channel(transport: Transport) {
    let perf = Perf { pages_per_cpu: 512 };
    overflows("channel_full", move || Config {
        channel_capacity: 1,
        perf: perf.clone(),
        ..own(Hook::Auto, transport)
    });
}

fn overflows(reason: &'static str, config: impl Fn() -> Config + Send + 'static) {
    isolated(move || {
        without_gso();
        let running = Running::start(config());
        // Their timers strike together, in fewer interrupts than the reader, whom a half-full page wakes, could follow.
        // Together six times what a page holds: an event has 128 bytes, and more in a buffer.
        let connections = (page_size() / 128 * 3).max(200);
        let stuck = [false, true].map(|v6| Stuck::new(loopback(v6), connections));
        let rounds = 3 * 2 * connections as u64;
        wait_for("three rounds of timeouts", Duration::from_secs(30), || retrans_segs() >= rounds);
        drop(stuck);
        for v6 in [false, true] {
            lossy_transfer(loopback(v6), loopback(v6), 8 << 20);
        }
        wait_until_quiet();
        let finished = running.finish();

        let by_reason = finished.counts.unobserved.iter().filter(|unobserved| unobserved.reason == reason);
        let lost: u64 = by_reason.map(|unobserved| unobserved.events).sum();
        assert!(lost > 0, "{:?}", finished.counts);
        assert_eq!(
            lost + finished.recursions(),
            finished.unobserved(),
            "for another reason as well: {:?}",
            finished.counts
        );
        for version in [NetworkType::Ipv4, NetworkType::Ipv6] {
            assert!(finished.gaps.iter().any(|gap| gap.class.network_type == version), "{version:?}");
        }
        finished.assert_balanced(retrans_segs());
        finished.assert_reasons();
    });
}
