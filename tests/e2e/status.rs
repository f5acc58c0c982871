//! What the kernel says of a process or a thread (proc(5), `status`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The capabilities that the program needs for its start.
/// CAP_PERFMON is 38, CAP_BPF is 39 (include/uapi/linux/capability.h).
pub const BPF_AND_PERFMON: u64 = 1 << 38 | 1 << 39;

/// The fields of a process, by name.
pub fn of_process(pid: u32) -> BTreeMap<String, String> {
    read(Path::new(&format!("/proc/{pid}"))).expect("its status")
}

/// The fields of each thread of a process that has not ended meanwhile.
pub fn of_threads(pid: u32) -> Vec<BTreeMap<String, String>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    tasks.filter_map(|task| read(&task.ok()?.path())).collect()
}

fn read(folder: &Path) -> Option<BTreeMap<String, String>> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let field = |line: &str| line.split_once(":\t").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(status.lines().filter_map(field).collect())
}

/// A set of capabilities, such as `CapEff`.
pub fn capabilities(fields: &BTreeMap<String, String>, set: &str) -> u64 {
    u64::from_str_radix(&fields[set], 16).expect(set)
}
