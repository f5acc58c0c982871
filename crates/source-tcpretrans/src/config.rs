//! The receiver's configuration: keys, defaults, validation.

use std::time::Duration;

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

/// When the kernel wakes the reader: a wakeup costs as much as twenty events.
///
/// By the ring buffer an event wakes a reader that sleeps. After that the reader looks by itself, as long as events come.
/// A perf buffer can't do that: its reader is woken at a number of events, and looks by itself all the time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wakeup {
    /// The ring buffer: so many events that wait wake the reader before it looks by itself. By default those that fill
    /// half of the buffer. Perf: every so many events of a CPU wake the reader, by default every 64th.
    pub events: Option<u32>,
    /// How often the reader looks by itself. By default every 10 ms by the ring buffer, and every 200 ms by perf.
    pub interval: Option<Interval>,
}

/// Whose sockets are reported; decided in the kernel.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
        // 512 KiB with pages of 4 KiB. A user may lock as much per CPU by default (`kernel.perf_event_mlock_kb`, which has
        // room for the header's page, too). Measured in a storm: with 64 KiB, a reader that got no CPU for 100 ms lost
        // events; with 512 KiB it lost none.
        Perf { pages_per_cpu: 128 }
    }
}

impl Default for Ringbuf {
    fn default() -> Self {
        Ringbuf { size: Size::mib(1) }
    }
}

impl Wakeup {
    /// How often the reader of the ring buffer looks while events come.
    pub(crate) fn ringbuf_interval(&self) -> Duration {
        self.interval.map_or(Duration::from_millis(10), |interval| *interval)
    }

    /// How often the reader of perf's buffers looks.
    pub(crate) fn perf_interval(&self) -> Duration {
        self.interval.map_or(Duration::from_millis(200), |interval| *interval)
    }

    /// Events of a CPU for one wakeup of perf's.
    pub(crate) fn perf_events(&self) -> u32 {
        self.events.unwrap_or(64)
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
                format!("{} is not a power of two; expected 1, 2, 4, … such as 128", self.perf.pages_per_cpu),
            ));
        }
        let size = self.ringbuf.size.bytes();
        if !size.is_power_of_two() || !(RINGBUF_MIN..=RINGBUF_MAX).contains(&size) {
            problems.push(Problem::at(
                "ringbuf.size",
                format!("{size} bytes; expected a power of two from 64KiB to 2GiB such as 1MiB"),
            ));
        }
        if self.wakeup.events == Some(0) {
            problems.push(Problem::at("wakeup.events", "0; expected at least 1"));
        }
        if let Some(interval) = self.wakeup.interval
            && !(WAKEUP_MIN..=WAKEUP_MAX).contains(&interval)
        {
            problems.push(Problem::at(
                "wakeup.interval",
                format!("{:?}; expected 1ms to 60s such as 5ms", *interval),
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
            wakeup: Wakeup { events: Some(0), interval: Some(Interval::ZERO) },
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
