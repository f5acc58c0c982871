//! What this kernel and this user offer. It is probed, and never concluded from the kernel's version.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use libbpf_rs::PrintLevel;
use libbpf_rs::btf::{Btf, types};
use rustix::process::{Resource, getrlimit};
use rustix::thread::CapabilitySet;
use serde::Serialize;

use crate::cgroup::Cgroup;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// `uname -r`. It is for people to read: nothing is decided by it.
    pub kernel_release: String,
    /// What the kernel's BTF says; `None` where there is no BTF.
    pub btf: Option<BtfFacts>,
    /// Whether classic tracepoints can be attached.
    pub tracefs: Tracefs,
    /// How far the kernel is locked down; `None` where securityfs does not show it.
    pub lockdown: Option<Lockdown>,
    /// What this process may do.
    pub capabilities: Capabilities,
    /// `kernel.perf_event_paranoid`; Debian adds a level 3.
    pub perf_event_paranoid: Option<i64>,
    /// Memory that unprivileged users' perf buffers may lock, in bytes per CPU (`kernel.perf_event_mlock_kb`).
    pub perf_event_mlock_bytes: u64,
    /// `RLIMIT_MEMLOCK`, in bytes; `None` is unlimited.
    pub memlock_limit_bytes: Option<u64>,
    /// `MemAvailable` of /proc/meminfo, or what this process's cgroup (v2) may still take where that is less, in bytes.
    pub memory_available_bytes: u64,
    /// Size of a page, in bytes.
    pub page_size_bytes: u64,
    /// CPUs that are online.
    pub cpus_online: u32,
    /// One above the highest CPU that may come online (`cpu_possible_mask`).
    pub cpus_possible: u32,
    /// Whether this is the initial user namespace. The kernel takes no capability of another one for BPF.
    pub initial_user_namespace: bool,
    /// Whether this is the initial pid namespace. In another one, sockets from before the start have no owner if only a
    /// process outside has them open; `None` where /proc does not show it.
    pub initial_pid_namespace: Option<bool>,
    /// Inode of this process's network namespace.
    pub netns_inode: Option<u32>,
    /// Id of this process's cgroup (v2).
    pub cgroup_id: Option<u64>,
}

/// What the kernel's BTF says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BtfFacts {
    /// `tcp_retransmit_skb` is there as a BTF-typed tracepoint.
    pub retransmit_skb: bool,
    /// `tcp_retransmit_synack` likewise.
    pub retransmit_synack: bool,
    /// The tracepoint also fires for failed attempts, and gives the error (since Linux 6.17).
    pub reports_err: bool,
    /// `bpf_get_socket_cookie` takes a tracing program's socket (since Linux 5.12).
    pub socket_cookie: bool,
    /// Socket storage is there for tracing programs (since Linux 5.11).
    pub socket_storage: bool,
    /// The function in which accept() gives a connection its file. The one who accepts is tagged there.
    pub accept: bool,
    /// Tracepoints are guarded by SRCU and leave preemption enabled (since Linux 7.0, include/linux/tracepoint.h). Kernels
    /// before 6.13 seem to do so, because they have that SRCU for another use.
    pub preemptible_tracepoints: bool,
    /// Ring buffers are there (since Linux 5.8).
    pub ringbuf: bool,
    /// Maps and programs are charged to `RLIMIT_MEMLOCK` (before Linux 5.11).
    pub charges_memlock: bool,
}

/// State of tracefs, which classic tracepoints need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tracefs {
    /// The tracepoint can be read.
    Readable,
    /// Not mounted at /sys/kernel/tracing or below debugfs.
    NotMounted,
    /// Mounted, and this user may not read it.
    Forbidden,
}

/// How far the kernel is locked down (kernel_lockdown(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lockdown {
    /// Not at all.
    None,
    /// Nobody can change the kernel. This does not concern us.
    Integrity,
    /// Nobody can read its memory either: BPF programs can't use `bpf_probe_read_kernel`, and there is no tracefs.
    Confidentiality,
}

/// Effective capabilities, as far as they matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// CAP_BPF or CAP_SYS_ADMIN.
    pub bpf: bool,
    /// CAP_PERFMON or CAP_SYS_ADMIN.
    pub perfmon: bool,
    /// CAP_SYS_ADMIN.
    pub sys_admin: bool,
    /// CAP_SYS_PTRACE: other users' processes show their network namespaces, for `tcp_stats` and the audit.
    pub sys_ptrace: bool,
    /// CAP_IPC_LOCK: perf buffers are not held to the memlock budget.
    pub ipc_lock: bool,
}

impl Facts {
    /// Probes this kernel and this process.
    ///
    /// # Errors
    /// Where /proc can't be read at all.
    pub fn probe() -> io::Result<Facts> {
        let cgroup = Cgroup::own();
        let in_cgroup = cgroup.as_ref().and_then(Cgroup::memory_left);
        let available = memory_available(&read("/proc/meminfo")?);
        Ok(Facts {
            kernel_release: rustix::system::uname().release().to_string_lossy().into_owned(),
            btf: BtfFacts::probe(),
            tracefs: Tracefs::probe(),
            lockdown: Lockdown::probe(),
            capabilities: Capabilities::probe()?,
            perf_event_paranoid: read_number("/proc/sys/kernel/perf_event_paranoid"),
            perf_event_mlock_bytes: read_number("/proc/sys/kernel/perf_event_mlock_kb").unwrap_or(516) << 10,
            memlock_limit_bytes: getrlimit(Resource::Memlock).current,
            memory_available_bytes: in_cgroup.map_or(available, |left| left.min(available)),
            page_size_bytes: rustix::param::page_size() as u64,
            cpus_online: cpus("/sys/devices/system/cpu/online", CpuList::count)?,
            cpus_possible: cpus("/sys/devices/system/cpu/possible", CpuList::end)?,
            // Where /proc does not show it, a start in another namespace fails at its first system call.
            initial_user_namespace: namespace("user").is_none_or(|inode| inode == INITIAL_USER_NAMESPACE),
            initial_pid_namespace: namespace("pid").map(|inode| inode == INITIAL_PID_NAMESPACE),
            netns_inode: namespace("net"),
            cgroup_id: cgroup.and_then(|cgroup| cgroup.id()),
        })
    }

    /// What this process's maps and programs may lock, in bytes; `None` where nothing is charged for them.
    pub(crate) fn memlock_limit_of_maps(&self) -> Option<u64> {
        self.memlock_limit_bytes.filter(|_| self.btf.is_some_and(|btf| btf.charges_memlock))
    }
}

impl BtfFacts {
    fn probe() -> Option<BtfFacts> {
        // By default libbpf writes to stderr. What matters is also in the errors that it returns.
        libbpf_rs::set_print(Some((
            PrintLevel::Debug,
            |_, line| tracing::debug!(target: "libbpf", "{}", line.trim_end()),
        )));
        let btf = Btf::from_vmlinux().ok()?;
        let typedef = |name| btf.type_by_name::<types::Typedef<'_>>(name).is_some();
        Some(BtfFacts {
            retransmit_skb: typedef("btf_trace_tcp_retransmit_skb"),
            retransmit_synack: typedef("btf_trace_tcp_retransmit_synack"),
            reports_err: btf
                .type_by_name::<types::Struct<'_>>("trace_event_raw_tcp_retransmit_skb")
                .is_some(),
            socket_cookie: btf.type_by_name::<types::Func<'_>>("bpf_get_socket_ptr_cookie").is_some(),
            socket_storage: btf.type_by_name::<types::Func<'_>>("bpf_sk_storage_get_tracing").is_some(),
            accept: btf.type_by_name::<types::Func<'_>>("security_sock_graft").is_some(),
            preemptible_tracepoints: btf
                .type_by_name::<types::Var<'_>>("tracepoint_srcu_srcu_data")
                .is_some(),
            ringbuf: btf.type_by_name::<types::Struct<'_>>("bpf_ringbuf_map").is_some(),
            charges_memlock: btf.type_by_name::<types::Struct<'_>>("bpf_map_memory").is_some(),
        })
    }
}

impl Tracefs {
    fn probe() -> Tracefs {
        let mut state = Tracefs::NotMounted;
        for root in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
            match fs::read(Path::new(root).join("events/tcp/tcp_retransmit_skb/id")) {
                Ok(_) => return Tracefs::Readable,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => state = Tracefs::Forbidden,
                Err(_) => {}
            }
        }
        state
    }
}

impl Lockdown {
    fn probe() -> Option<Lockdown> {
        Lockdown::parse(&fs::read_to_string("/sys/kernel/security/lockdown").ok()?)
    }

    /// All levels with brackets around the present one: `none [integrity] confidentiality`.
    fn parse(levels: &str) -> Option<Lockdown> {
        let (_, rest) = levels.split_once('[')?;
        match rest.split_once(']')?.0 {
            "none" => Some(Lockdown::None),
            "integrity" => Some(Lockdown::Integrity),
            "confidentiality" => Some(Lockdown::Confidentiality),
            _ => None,
        }
    }
}

impl Capabilities {
    fn probe() -> io::Result<Capabilities> {
        let effective = rustix::thread::capabilities(None)?.effective;
        let sys_admin = effective.contains(CapabilitySet::SYS_ADMIN);
        Ok(Capabilities {
            bpf: sys_admin || effective.contains(CapabilitySet::BPF),
            perfmon: sys_admin || effective.contains(CapabilitySet::PERFMON),
            sys_admin,
            sys_ptrace: effective.contains(CapabilitySet::SYS_PTRACE),
            ipc_lock: effective.contains(CapabilitySet::IPC_LOCK),
        })
    }
}

/// include/uapi/linux/nsfs.h, `PID_NS_INIT_INO`
const INITIAL_PID_NAMESPACE: u32 = 0xeffffffc;
/// include/uapi/linux/nsfs.h, `USER_NS_INIT_INO`
const INITIAL_USER_NAMESPACE: u32 = 0xeffffffd;

/// Inode of a namespace of this thread.
fn namespace(kind: &str) -> Option<u32> {
    fs::metadata(format!("/proc/thread-self/ns/{kind}")).ok()?.ino().try_into().ok()
}

/// Reads a file that every system has.
fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

fn read_number<T: std::str::FromStr>(path: &str) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `MemAvailable`, in bytes; 0 where the file does not have it.
fn memory_available(meminfo: &str) -> u64 {
    let kib = meminfo.lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    kib.unwrap_or(0) << 10
}

/// A list of CPUs as sysfs writes it, `0-3,8`: ranges with both ends included.
struct CpuList(Vec<(u32, u32)>);

impl CpuList {
    fn parse(list: &str) -> Option<CpuList> {
        let ranges = list.trim().split(',').map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        ranges.collect::<Option<_>>().map(CpuList)
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// One above the highest: the length of an array indexed by CPU.
    fn end(&self) -> u32 {
        self.0.iter().map(|(_, last)| last + 1).max().unwrap_or(0)
    }
}

fn cpus(path: &str, number: fn(&CpuList) -> u32) -> io::Result<u32> {
    let list = read(path)?;
    CpuList::parse(&list).map(|list| number(&list)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{path}: not a list of CPUs: {list:?}"))
    })
}

/// Facts for tests: those of a kernel that has everything.
#[cfg(test)]
pub(crate) mod fixtures {
    use super::{BtfFacts, Capabilities, Facts, Tracefs};

    pub(crate) fn facts() -> Facts {
        Facts {
            kernel_release: "6.18".to_owned(),
            btf: Some(BtfFacts {
                retransmit_skb: true,
                retransmit_synack: true,
                reports_err: true,
                socket_cookie: true,
                socket_storage: true,
                accept: true,
                preemptible_tracepoints: false,
                ringbuf: true,
                charges_memlock: false,
            }),
            tracefs: Tracefs::Readable,
            lockdown: None,
            capabilities: Capabilities { bpf: true, perfmon: true, ..Capabilities::default() },
            perf_event_paranoid: Some(2),
            perf_event_mlock_bytes: 516 << 10,
            memlock_limit_bytes: Some(8 << 20),
            memory_available_bytes: 1 << 30,
            page_size_bytes: 4096,
            cpus_online: 4,
            cpus_possible: 4,
            initial_user_namespace: true,
            initial_pid_namespace: Some(true),
            netns_inode: Some(7),
            cgroup_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_lists_of_cpus() {
        let numbers = |list| CpuList::parse(list).map(|list| (list.count(), list.end()));
        assert_eq!(numbers("0\n"), Some((1, 1)));
        assert_eq!(numbers("0-3,8-11\n"), Some((8, 12)));
        assert_eq!(numbers(""), None);
    }

    #[test]
    fn reads_the_level_of_lockdown() {
        assert_eq!(Lockdown::parse("none integrity [confidentiality]\n"), Some(Lockdown::Confidentiality));
        assert_eq!(Lockdown::parse("[none] integrity confidentiality\n"), Some(Lockdown::None));
        assert_eq!(Lockdown::parse("none integrity\n"), None);
    }

    #[test]
    fn reads_available_memory() {
        assert_eq!(memory_available("MemTotal:  9 kB\nMemAvailable:   2048 kB\n"), 2 << 20);
        assert_eq!(memory_available("MemTotal:  9 kB\n"), 0);
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = Facts::probe().unwrap();
        assert!(facts.page_size_bytes >= 4096);
        assert!(facts.cpus_possible >= facts.cpus_online && facts.cpus_online >= 1);
        assert!(facts.memory_available_bytes > 0);
        assert!(facts.netns_inode.is_some());
    }
}
