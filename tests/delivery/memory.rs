//! The memory of an agent.

use std::fs;

/// Resident memory that is no file's, in KiB. The pages of the program's file are left out: how many of them are
/// resident depends on the build and on what else the machine does.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
