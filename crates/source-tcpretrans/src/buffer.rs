//! Opening a buffer as large as the kernel will give: halving, and when not to.

use libbpf_rs::ErrorKind;

use crate::facts::Facts;

/// What a failed try leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Halve,
    Fail,
}

/// What `EPERM` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// There is no budget: what it says.
    None,
    /// Perhaps that a budget is used up, so that a smaller size may fit.
    Applies,
}

impl Budget {
    /// What a user's perf buffers may lock without CAP_IPC_LOCK: RLIMIT_MEMLOCK and `kernel.perf_event_mlock_kb` a CPU
    /// (kernel/events/core.c, `perf_mmap`). How much of it is left can't be known: the user's other buffers count, and
    /// before Linux 5.11 so do its maps.
    pub(crate) fn of_perf(facts: &Facts) -> Budget {
        let unbounded = facts.capabilities.ipc_lock
            || facts.perf_event_paranoid == Some(-1)
            || facts.memlock_limit_bytes.is_none();
        if unbounded { Budget::None } else { Budget::Applies }
    }
}

/// Opens at `start`, and at half of it as long as the kernel lacks the memory, down to `least`. Gives what was opened
/// and the size reached.
///
/// # Errors
/// The kernel's, at the size where halving ended.
pub(crate) fn open_halving<T>(
    key: &'static str,
    start: u64,
    least: u64,
    budget: Budget,
    mut open: impl FnMut(u64) -> libbpf_rs::Result<T>,
) -> libbpf_rs::Result<(T, u64)> {
    let mut size = start;
    loop {
        match open(size) {
            Ok(opened) => {
                if size < start {
                    tracing::warn!(
                        asked = start,
                        reached = size,
                        "{key}: reduced to what the kernel would give"
                    );
                }
                return Ok((opened, size));
            }
            Err(error) if verdict(error.kind(), size, least, budget) == Verdict::Halve => {
                tracing::warn!(%error, size, "{key}: not to be had, halving");
                size /= 2;
            }
            Err(error) => return Err(error),
        }
    }
}

fn verdict(error: ErrorKind, size: u64, least: u64, budget: Budget) -> Verdict {
    let for_want_of_memory = match error {
        ErrorKind::OutOfMemory => true,
        ErrorKind::PermissionDenied => budget == Budget::Applies,
        _ => false,
    };
    if for_want_of_memory && size / 2 >= least { Verdict::Halve } else { Verdict::Fail }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ENOMEM: i32 = 12;
    const EPERM: i32 = 1;
    const EACCES: i32 = 13;
    const EINVAL: i32 = 22;

    /// Opens what is at most `room`; otherwise fails with `errno`. Tells the sizes tried.
    fn try_open(start: u64, room: u64, errno: i32, budget: Budget) -> (Option<u64>, Vec<u64>) {
        let mut tried = Vec::new();
        let opened = open_halving("test", start, 1, budget, |size| {
            tried.push(size);
            if size <= room { Ok(()) } else { Err(libbpf_rs::Error::from_raw_os_error(errno)) }
        });
        (opened.ok().map(|((), size)| size), tried)
    }

    #[test]
    fn enomem_halves_down_to_one() {
        assert_eq!(try_open(16, 4, ENOMEM, Budget::None), (Some(4), vec![16, 8, 4]));
        assert_eq!(try_open(16, 1, ENOMEM, Budget::None).0, Some(1));
        assert_eq!(try_open(4, 0, ENOMEM, Budget::None), (None, vec![4, 2, 1]));
    }

    #[test]
    fn eperm_halves_only_under_a_budget() {
        assert_eq!(try_open(16, 4, EPERM, Budget::Applies), (Some(4), vec![16, 8, 4]));
        assert_eq!(try_open(4, 0, EPERM, Budget::Applies), (None, vec![4, 2, 1]));
        assert_eq!(try_open(16, 4, EPERM, Budget::None), (None, vec![16]));
    }

    #[test]
    fn any_other_error_is_final_at_once() {
        for errno in [EACCES, EINVAL] {
            assert_eq!(try_open(16, 4, errno, Budget::None), (None, vec![16]));
        }
    }
}
