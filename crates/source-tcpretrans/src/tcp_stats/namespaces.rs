//! Which network namespaces there are, and the counters of each: once, however many processes share it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::Scope;
use super::mib::{Counters, counter, read};

/// A process of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: i64,
    /// The name of its executable, cut to 15 bytes (`comm`).
    pub(super) command: String,
    /// When it was started, from the start of the machine.
    pub(super) started: Duration,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By the inode of the namespace: its process with the smallest id, and its counters.
    pub(super) readings: BTreeMap<u64, (Owner, Counters)>,
    /// Number of processes whose namespace this process may not see.
    pub(super) hidden: u64,
}

/// RetransSegs of a namespace, read by one of its processes. `None` if that one has ended, or is elsewhere now.
pub(super) fn retrans_segs(netns: u64, pid: i64) -> Option<u64> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let text = fs::read_to_string(folder.join("net/snmp")).ok()?;
    (inode(&folder)? == netns).then(|| counter(&text, "Tcp", "RetransSegs"))?
}

/// Reads all namespaces in sight. A namespace without a process is not.
pub(super) fn in_sight(scope: Scope) -> Found {
    let mut found = Found::default();
    let folders = match scope {
        Scope::Netns => vec![PathBuf::from("/proc/self")],
        Scope::Host => processes(),
    };
    let mut seen = BTreeSet::new();
    for folder in folders {
        let Some(inode) = inode(&folder) else {
            // A process that has ended has no folder.
            found.hidden += u64::from(folder.exists());
            continue;
        };
        if seen.contains(&inode) {
            continue;
        }
        let Some(owner) = owner(&folder) else { continue };
        // It may have ended, or gone to another namespace, meanwhile. The next process of the namespace is tried then.
        if let Ok(counters) = read(&folder.join("net"))
            && self::inode(&folder) == Some(inode)
        {
            seen.insert(inode);
            found.readings.insert(inode, (owner, counters));
        }
    }
    found
}

/// The folders of all processes, by id.
fn processes() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids.into_iter().map(|id| PathBuf::from(format!("/proc/{id}"))).collect()
}

/// The inode of a process's network namespace, from the link `net:[4026531840]`.
pub(super) fn inode(folder: &Path) -> Option<u64> {
    let link = fs::read_link(folder.join("ns/net")).ok()?;
    let text = std::str::from_utf8(link.as_os_str().as_bytes()).ok()?;
    text.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

fn owner(folder: &Path) -> Option<Owner> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The command is in parentheses, and may have some itself (proc_pid_stat(5)).
    let (before, after) = stat.rsplit_once(')')?;
    let (pid, command) = before.split_once('(')?;
    let ticks: u64 = after.split_whitespace().nth(19)?.parse().ok()?;
    let started = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1));
    Some(Owner { pid: pid.trim().parse().ok()?, command: command.to_owned(), started })
}
