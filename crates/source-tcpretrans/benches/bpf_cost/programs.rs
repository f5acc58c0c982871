//! What the kernel says that BPF programs cost: its run statistics, of the programs that a process holds.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libbpf_rs::libbpf_sys;
use libbpf_rs::query::ProgInfoIter;

/// While this lives, the kernel takes the time of each run, as with kernel.bpf_stats_enabled=1. It is a descriptor: however
/// this process ends, the kernel stops.
pub struct RunStatistics {
    _descriptor: OwnedFd,
}

impl RunStatistics {
    pub fn enable() -> io::Result<RunStatistics> {
        // SAFETY: takes a number and returns a new descriptor, or an error below zero.
        let descriptor = unsafe { libbpf_sys::bpf_enable_stats(libbpf_sys::BPF_STATS_RUN_TIME) };
        if descriptor < 0 {
            return Err(io::Error::from_raw_os_error(-descriptor));
        }
        // SAFETY: nobody else owns it.
        Ok(RunStatistics { _descriptor: unsafe { OwnedFd::from_raw_fd(descriptor) } })
    }
}

/// What programs have cost since they were loaded.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub runs: u64,
    pub nanoseconds: u64,
}

impl Cost {
    pub fn a_run(self) -> f64 {
        self.nanoseconds as f64 / self.runs as f64
    }
}

/// The part of a program's name that says what it runs on; a name is cut after 15 bytes.
pub const RETRANSMISSION: &str = "_retrans";
pub const END_OF_A_SOCKET: &str = "_destroy";

/// Of the programs with `part` in their name that a process has a descriptor of, by the kernel's ids: whoever else has
/// such programs has other ids. Where a hit runs two of them, this is the cost of both, and the number of hits.
pub fn cost_of(pid: u32, part: &str) -> io::Result<Cost> {
    let ids = ids_of(pid)?;
    let ours = ProgInfoIter::default()
        .filter(|program| ids.contains(&program.id) && program.name.to_string_lossy().contains(part));
    Ok(ours.fold(Cost::default(), |sum, program| Cost {
        runs: sum.runs.max(program.run_cnt),
        nanoseconds: sum.nanoseconds + program.run_time_ns,
    }))
}

fn ids_of(pid: u32) -> io::Result<Vec<u32>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed meanwhile.
        let info = fs::read_to_string(entry?.path()).unwrap_or_default();
        let id = info.lines().find_map(|line| line.strip_prefix("prog_id:"));
        ids.extend(id.and_then(|id| id.trim().parse::<u32>().ok()));
    }
    Ok(ids)
}
