//! How often the agent wakes while nothing happens.

use std::fs;
use std::time::{Duration, Instant};

use crate::e2e::agent::Agent;
use crate::e2e::support::namespace::{isolated, wait_for};

/// By the ring buffer, with the default configuration: the reader sleeps, and every 10 s a report goes through the
/// pipeline, which wakes some of its threads.
pub fn it_sleeps() {
    it_wakes_at_most(1, "ringbuf", "{ interval: 10s }");
}

/// Perf's reader looks by a timer. Reports come five times as often as by default. Each one wakes the exporter too, since
/// it repeats the series that are 0.
pub fn it_hardly_wakes_by_perf() {
    it_wakes_at_most(10, "perf", "{ interval: 2s }");
}

/// Longer than the default time between two reports.
const WATCHED: Duration = Duration::from_secs(12);

/// Counts the wakeups of all its threads.
fn it_wakes_at_most(a_second: u64, transport: &'static str, aggregate: &'static str) {
    isolated(move || {
        let agent = Agent::start(&format!(
            "{{ receivers: {{ tcpretrans: {{ transport: {transport} }} }}, processors: {{ aggregate: {aggregate} }} }}"
        ));
        let (begun, before) = (Instant::now(), wakeups(agent.0.pid()));
        wait_for("the end of the watch", WATCHED * 2, || begun.elapsed() >= WATCHED);
        let woke = wakeups(agent.0.pid()) - before;
        println!("    {transport}: {woke} wakeups in {:?}", begun.elapsed());
        assert!(woke <= a_second * WATCHED.as_secs(), "{woke} wakeups in {WATCHED:?}");
        agent.finish();
    });
}

/// How often the process's threads have gone to sleep by themselves, which is how often they had been woken.
fn wakeups(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let switches = tasks.map(|task| {
        let status = fs::read_to_string(task.expect("a thread").path().join("status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.expect("its switches").trim().parse::<u64>().expect("a number")
    });
    switches.sum()
}
