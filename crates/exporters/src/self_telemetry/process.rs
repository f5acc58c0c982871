//! Uptime, CPU time and memory of the process, under the Collector's names.

use std::fs;
use std::time::Instant;

use opentelemetry::metrics::Meter;
use rustix::time::{ClockId, clock_gettime};

/// Registers uptime, CPU time and resident memory.
pub fn register(meter: &Meter) {
    let started = Instant::now();
    meter
        .f64_observable_counter("otelcol_process_uptime")
        .with_unit("s")
        .with_description("Time since the process has started.")
        .with_callback(move |observer| observer.observe(started.elapsed().as_secs_f64(), &[]))
        .build();
    meter
        .f64_observable_counter("otelcol_process_cpu_seconds")
        .with_unit("s")
        .with_description("CPU time of the process, user and system.")
        .with_callback(|observer| observer.observe(cpu_seconds(), &[]))
        .build();
    meter
        .u64_observable_gauge("otelcol_process_memory_rss")
        .with_unit("By")
        .with_description("Resident memory of the process.")
        .with_callback(|observer| {
            if let Some(bytes) = resident_bytes() {
                observer.observe(bytes, &[]);
            }
        })
        .build();
}

/// User and system time of all threads, in seconds.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory, from the second field of /proc/self/statm, in pages (proc_pid_statm(5)).
fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_a_process_at_work() {
        let before = cpu_seconds();
        let spent =
            (0..5_000_000u64).fold(0u64, |sum, n| sum.wrapping_mul(31).wrapping_add(std::hint::black_box(n)));
        std::hint::black_box(spent);
        assert!(cpu_seconds() > before);
        assert!(resident_bytes().is_some_and(|bytes| (1 << 19..1 << 34).contains(&bytes)));
    }
}
