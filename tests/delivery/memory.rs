//! The memory of an agent.

use crate::e2e::status::of_process;

/// Resident memory that is no file's, in KiB. The pages of the program's file are left out: how many of them are
/// resident depends on the build and on what else the machine does.
pub fn resident(pid: u32) -> u64 {
    of_process(pid)["RssAnon"].trim().trim_end_matches(" kB").parse().unwrap()
}
