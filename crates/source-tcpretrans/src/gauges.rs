//! The receivers' facts: how they work, and their numbers that are no counts of events.

use otel_tcpretrans_pipeline::books::{self, Gauge};

/// Facts that are words: the labels of `receiver_info`.
pub static FACTS: [&str; 3] = ["hook", "transport", "owner"];

pub(crate) static RINGBUF_SIZE: Gauge = Gauge {
    name: "ringbuf_size",
    unit: "By",
    description: "Size of the ring buffer. It is smaller than configured if memory was short.",
};

pub(crate) static PERF_PAGES_PER_CPU: Gauge = Gauge {
    name: "perf_pages_per_cpu",
    unit: "{page}",
    description: "Pages of the perf buffer of each CPU. They are fewer than configured if memory was short.",
};

pub(crate) static HEALED_SEGMENTS: Gauge = Gauge {
    name: "healed_segments",
    unit: "{segment}",
    description: "Segments for which the kernel ran no program, and which a later event of their socket has counted.",
};

pub(crate) static INTERRUPTING_EVENTS: Gauge = Gauge {
    name: "interrupting_events",
    unit: "{event}",
    description: "Retransmissions that came while the program was running on the same CPU, and of which the second program told.",
};

pub(crate) static NETWORK_NAMESPACES: Gauge = Gauge {
    name: "network_namespaces",
    unit: "{namespace}",
    description: "Network namespaces whose counters tcp_stats has read last.",
};

pub(crate) static HIDDEN_PROCESSES: Gauge = Gauge {
    name: "hidden_processes",
    unit: "{process}",
    description: "Processes whose network namespace tcp_stats can't see without CAP_SYS_PTRACE.",
};

pub(crate) static AUDITED_NAMESPACES: Gauge = Gauge {
    name: "audited_namespaces",
    unit: "{namespace}",
    description: "Network namespaces in which the audit has compared the count with the kernel's RetransSegs.",
};

pub(crate) static AUDIT_DIFFERENCE: Gauge = Gauge {
    name: books::AUDIT_DIFFERENCE,
    unit: "{segment}",
    description: "Segments by which the count differs from the kernel's RetransSegs, added up over the audited namespaces. It is there only while one is audited.",
};

/// All facts that are numbers.
pub static GAUGES: [&Gauge; 8] = [
    &RINGBUF_SIZE,
    &PERF_PAGES_PER_CPU,
    &HEALED_SEGMENTS,
    &INTERRUPTING_EVENTS,
    &NETWORK_NAMESPACES,
    &HIDDEN_PROCESSES,
    &AUDITED_NAMESPACES,
    &AUDIT_DIFFERENCE,
];
