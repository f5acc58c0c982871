//! The filter of system calls: what a process that is running needs, and nothing that gives it more.
//!
//! What is missing: to execute a program, to start a process, to load a BPF program or open a perf event, to trace a
//! process, to make namespaces, and all that changes the machine. A call that is not in the list fails with `EPERM`, so a
//! library that tries one goes on without it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

use crate::error::Error;

/// Calls that are allowed whatever their arguments are.
#[rustfmt::skip]
const ALLOWED: &[c_long] = &[
    // data
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_preadv, libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2, libc::SYS_lseek, libc::SYS_sendfile,
    libc::SYS_splice, libc::SYS_copy_file_range, libc::SYS_close, libc::SYS_close_range, libc::SYS_dup, libc::SYS_dup3,
    libc::SYS_fcntl, libc::SYS_ioctl, libc::SYS_flock, libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync_file_range,
    libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fadvise64, libc::SYS_pipe2,
    // files
    libc::SYS_openat, libc::SYS_openat2, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_statfs,
    libc::SYS_fstatfs, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat, libc::SYS_unlinkat,
    libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_mkdirat, libc::SYS_getdents64, libc::SYS_getcwd,
    libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_fchown, libc::SYS_utimensat, libc::SYS_umask,
    libc::SYS_name_to_handle_at, libc::SYS_inotify_init1, libc::SYS_inotify_add_watch, libc::SYS_inotify_rm_watch,
    // the network
    libc::SYS_socketpair, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4,
    libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_getsockopt, libc::SYS_setsockopt, libc::SYS_sendto,
    libc::SYS_recvfrom, libc::SYS_sendmsg, libc::SYS_recvmsg, libc::SYS_sendmmsg, libc::SYS_recvmmsg, libc::SYS_shutdown,
    // waiting
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2, libc::SYS_ppoll,
    libc::SYS_pselect6, libc::SYS_eventfd2, libc::SYS_timerfd_create, libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime, libc::SYS_signalfd4, libc::SYS_nanosleep, libc::SYS_clock_nanosleep,
    // memory
    libc::SYS_brk, libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect, libc::SYS_madvise,
    libc::SYS_memfd_create, libc::SYS_msync, libc::SYS_mincore, libc::SYS_mlock, libc::SYS_munlock, libc::SYS_membarrier,
    // threads: clone is below
    libc::SYS_clone3, libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_set_tid_address,
    libc::SYS_rseq, libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_exit, libc::SYS_exit_group,
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack, libc::SYS_restart_syscall, libc::SYS_prctl, libc::SYS_capget, libc::SYS_capset,
    // what the process and the machine are
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_gettid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_getgroups, libc::SYS_getpgid, libc::SYS_getrusage, libc::SYS_getcpu, libc::SYS_times,
    libc::SYS_prlimit64, libc::SYS_sysinfo, libc::SYS_uname, libc::SYS_clock_gettime, libc::SYS_clock_getres,
    libc::SYS_gettimeofday, libc::SYS_getrandom,
];

/// The older forms of some of these, which x86-64 has and newer architectures do not.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER: &[c_long] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_unlink,
    libc::SYS_rename, libc::SYS_link, libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_chmod, libc::SYS_getdents,
    libc::SYS_dup2, libc::SYS_pipe, libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_create, libc::SYS_epoll_wait,
    libc::SYS_eventfd, libc::SYS_getrlimit, libc::SYS_time, libc::SYS_arch_prctl, libc::SYS_getpgrp,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// Kinds of sockets that may be made.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Commands of bpf(2) that read and change the maps that the process has open (`enum bpf_cmd`, include/uapi/linux/bpf.h).
const BPF_COMMANDS: [u64; 5] = [
    1,  // BPF_MAP_LOOKUP_ELEM
    2,  // BPF_MAP_UPDATE_ELEM
    3,  // BPF_MAP_DELETE_ELEM
    4,  // BPF_MAP_GET_NEXT_KEY
    15, // BPF_OBJ_GET_INFO_BY_FD
];

/// Flags of clone(2) that make namespaces (`CLONE_NEW*`, include/uapi/linux/sched.h).
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// Filters the calls of all threads.
pub(crate) fn filter() -> Result<(), Error> {
    let apply = |filter: BpfProgram| apply_filter_all_threads(&filter).map_err(failed);
    // The arguments of clone3 are behind a pointer, where no filter sees them. Without it, libraries use clone.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply(program(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?)?;
    apply(allowed()?)
}

fn allowed() -> Result<BpfProgram, Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(OLDER).map(|call| (*call, Vec::new())).collect();
    let equal = |argument, value| rule(argument, SeccompCmpOp::Eq, value);
    let families = FAMILIES.iter().map(|family| equal(0, *family as u64));
    rules.insert(libc::SYS_socket, families.collect::<Result<_, _>>()?);
    let commands = BPF_COMMANDS.iter().map(|command| equal(0, *command));
    rules.insert(libc::SYS_bpf, commands.collect::<Result<_, _>>()?);
    // Threads, and no processes.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(NEW_NAMESPACES | thread), thread)?]);
    // A thread may end its own process, as abort(3) does.
    rules.insert(libc::SYS_tgkill, vec![equal(0, std::process::id().into())?]);
    program(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    SeccompRule::new(vec![condition.map_err(failed)?]).map_err(failed)
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matching: SeccompAction,
) -> Result<BpfProgram, Error> {
    let architecture = std::env::consts::ARCH.try_into().map_err(failed)?;
    SeccompFilter::new(rules, otherwise, matching, architecture)
        .and_then(BpfProgram::try_from)
        .map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Calls(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_filter_can_be_made() {
        // The most that the kernel takes is 4096 instructions (BPF_MAXINSNS).
        assert!((ALLOWED.len()..4096).contains(&allowed().unwrap().len()));
    }
}
