//! The receivers. `tcpretrans` owns the eBPF skeleton and the readers, and turns the wire's bytes into records.
//!
//! Facts, then decision, then act: [`facts`] are probed, [`setup`] decides purely, `session` loads, attaches and
//! reads. This crate alone knows libbpf-rs and has `unsafe` code.

mod audit;
mod buffer;
mod callback;
mod cgroup;
mod check;
pub mod config;
mod convert;
mod counters;
mod counts;
pub mod facts;
mod findings;
mod gaps;
mod gauges;
mod mapping;
mod misses;
mod own_memory;
mod perf;
mod privileges;
mod pulse;
mod receiver;
mod record;
pub mod recording;
pub mod replay;
mod ring;
mod session;
pub mod setup;
mod sink;
mod skeleton;
mod static_binary;
mod tap;
pub mod tcp_stats;
mod undecoded;
mod wake;
mod wall_clock;
pub mod wire;

pub use audit::Audit;
pub use check::{Report, check};
pub use config::Config;
pub use convert::{DecodeError, decode};
pub use findings::{Finding, State};
pub use gauges::{FACTS, GAUGES};
pub use own_memory::{give_back, use_one_heap};
pub use receiver::Tcpretrans;
pub use record::{Recorded, Recorder, Recording};
pub use replay::Replay;
pub use static_binary::resolve_without_plugins;
pub use tcp_stats::TcpStats;
