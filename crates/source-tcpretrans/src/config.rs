//! The receiver's configuration: keys, defaults, validation.

use otel_tcpretrans_pipeline::config::{Interval, Problem, Size};
use serde::{Deserialize, Serialize};

/// Configuration of a `tcpretrans` receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How to hook the kernel.
    pub hook: Hook,
    /// How events travel from the kernel.
    pub transport: Transport,
    /// The perf buffer.
    pub perf: Perf,
    /// The ring buffer.
    pub ringbuf: Ringbuf,
    /// When the kernel wakes the reader.
    pub wakeup: Wakeup,
    /// Whose sockets are reported.
    pub scope: Scope,
    /// Report retransmitted SYN-ACKs too.
    pub synack: bool,
    /// Events that may wait between the reader and the pipeline.
    pub channel_capacity: usize,
}

/// How to hook the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// `tp_btf`, and `tracepoint` only where that fails to load.
    #[default]
    Auto,
    /// BTF-typed tracepoints.
    TpBtf,
    /// Classic tracepoints; they need tracefs.
    Tracepoint,
}

/// How events travel from the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The ring buffer where the kernel has it (5.8), else perf.
    #[default]
    Auto,
    /// One perf buffer per CPU.
    Perf,
    /// One ring buffer.
    Ringbuf,
}

/// The perf buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Perf {
    /// Pages of each CPU's buffer, a power of two; halved when the kernel can't give that many.
    pub pages_per_cpu: u32,
}

/// The ring buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ringbuf {
    /// Size of the buffer that all CPUs share, a power of two; halved when the kernel can't give that much.
    pub size: Size,
}

/// When the kernel wakes the reader. With many events per wakeup an event costs a tenth of one with its own wakeup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wakeup {
    /// After this many events on one CPU.
    pub events: u32,
    /// Or after this time, however many events there are.
    pub interval: Interval,
}

/// Whose sockets are reported; decided in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everybody's.
    #[default]
    Host,
    /// Those of this process's network namespace.
    Netns,
    /// Those of this process's cgroup and the cgroups below it.
    Cgroup,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            hook: Hook::default(),
            transport: Transport::default(),
            perf: Perf::default(),
            ringbuf: Ringbuf::default(),
            wakeup: Wakeup::default(),
            scope: Scope::default(),
            synack: true,
            channel_capacity: 8192,
        }
    }
}

impl Default for Perf {
    fn default() -> Self {
        Perf { pages_per_cpu: 16 }
    }
}

impl Default for Ringbuf {
    fn default() -> Self {
        Ringbuf { size: Size::mib(1) }
    }
}

impl Default for Wakeup {
    fn default() -> Self {
        Wakeup { events: 64, interval: Interval::from_millis(200) }
    }
}

/// The kernel takes ring buffers of whole pages; the largest page size in use is 64 KiB.
const RINGBUF_MIN: u64 = 64 << 10;
/// `bpf_ringbuf_output` addresses at most 4 GiB; the map's `max_entries` is a u32.
const RINGBUF_MAX: u64 = 2 << 30;
/// As many events as a full ring buffer of the largest size holds.
const CHANNEL_MAX: usize = 1 << 24;
const WAKEUP_MIN: Interval = Interval::from_millis(1);
const WAKEUP_MAX: Interval = Interval::from_secs(60);

impl Config {
    /// Checks what the types can't.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.perf.pages_per_cpu.is_power_of_two() {
            problems.push(Problem::at(
                "perf.pages_per_cpu",
                format!("{} is not a power of two; expected 1, 2, 4, … such as 16", self.perf.pages_per_cpu),
            ));
        }
        let size = self.ringbuf.size.bytes();
        if !size.is_power_of_two() || !(RINGBUF_MIN..=RINGBUF_MAX).contains(&size) {
            problems.push(Problem::at(
                "ringbuf.size",
                format!("{size} bytes; expected a power of two from 64KiB to 2GiB such as 1MiB"),
            ));
        }
        if self.wakeup.events == 0 {
            problems.push(Problem::at("wakeup.events", "0; expected at least 1"));
        }
        if !(WAKEUP_MIN..=WAKEUP_MAX).contains(&self.wakeup.interval) {
            problems.push(Problem::at(
                "wakeup.interval",
                format!("{:?}; expected 1ms to 60s such as 200ms", *self.wakeup.interval),
            ));
        }
        if !(1..=CHANNEL_MAX).contains(&self.channel_capacity) {
            problems.push(Problem::at(
                "channel_capacity",
                format!("{}; expected 1 to {CHANNEL_MAX} such as 8192", self.channel_capacity),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Config::default().validate(), []);
    }

    #[test]
    fn a_channel_has_its_bounds() {
        for (channel_capacity, problems) in
            [(0, 1), (1, 0), (CHANNEL_MAX, 0), (CHANNEL_MAX + 1, 1), (usize::MAX, 1)]
        {
            let config = Config { channel_capacity, ..Config::default() };
            assert_eq!(config.validate().len(), problems, "{channel_capacity}");
        }
    }

    #[test]
    fn every_bad_value_is_reported_at_its_key() {
        let config = Config {
            perf: Perf { pages_per_cpu: 12 },
            ringbuf: Ringbuf { size: Size::mib(3) },
            wakeup: Wakeup { events: 0, interval: Interval::ZERO },
            channel_capacity: 0,
            ..Config::default()
        };
        let paths: Vec<_> = config.validate().into_iter().map(|problem| problem.path).collect();
        assert_eq!(
            paths,
            ["perf.pages_per_cpu", "ringbuf.size", "wakeup.events", "wakeup.interval", "channel_capacity"]
        );
    }
}
