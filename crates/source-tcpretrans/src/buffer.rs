//! Opens a buffer as large as the kernel gives it: the size is halved where memory is short, and only there.

use libbpf_rs::ErrorKind;

use crate::facts::Facts;

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: libbpf_rs::Error,
    /// Memory is short, so a smaller size may fit.
    pub(crate) for_want_of_memory: bool,
}

/// What `EPERM` means where a buffer is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// The user has no budget: the permission is missing.
    None,
    /// The user has a budget, which may be used up: a smaller size may fit.
    Applies,
}

impl Budget {
    /// What a user's perf buffers may lock without CAP_IPC_LOCK: RLIMIT_MEMLOCK and `kernel.perf_event_mlock_kb` per CPU
    /// (kernel/events/core.c, `perf_mmap`). How much of it is left can't be known: the user's other buffers count, and
    /// before Linux 5.11 so do its maps.
    pub(crate) fn of_perf(facts: &Facts) -> Budget {
        let unbounded = facts.capabilities.ipc_lock
            || facts.perf_event_paranoid == Some(-1)
            || facts.memlock_limit_bytes.is_none();
        if unbounded { Budget::None } else { Budget::Applies }
    }

    /// Before Linux 5.11 a user's maps may take RLIMIT_MEMLOCK (kernel/bpf/syscall.c, `bpf_charge_memlock`).
    pub(crate) fn of_maps(facts: &Facts) -> Budget {
        if facts.memlock_limit_of_maps().is_some() { Budget::Applies } else { Budget::None }
    }

    /// Whether this error means that memory is short.
    pub(crate) fn lacks(self, error: ErrorKind) -> bool {
        match error {
            ErrorKind::OutOfMemory => true,
            ErrorKind::PermissionDenied => self == Budget::Applies,
            _ => false,
        }
    }
}

/// Opens with the size `start`, and then with half of it as long as memory is short, down to `least`. Returns what was
/// opened and the size reached.
///
/// # Errors
/// The kernel's, at the size where halving ended.
pub(crate) fn open_halving<T>(
    key: &'static str,
    start: u64,
    least: u64,
    mut open: impl FnMut(u64) -> Result<T, Refused>,
) -> libbpf_rs::Result<(T, u64)> {
    let mut size = start;
    loop {
        match open(size) {
            Ok(opened) => {
                if size < start {
                    tracing::warn!(asked = start, reached = size, "{key}: reduced to what the kernel gives");
                }
                return Ok((opened, size));
            }
            Err(Refused { error, for_want_of_memory: true }) if size / 2 >= least => {
                tracing::warn!(%error, size, "{key}: the kernel can't give this size, trying half of it");
                size /= 2;
            }
            Err(Refused { error, .. }) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ENOMEM: i32 = 12;
    const EPERM: i32 = 1;
    const EINVAL: i32 = 22;

    /// Opens what is at most `room`; otherwise fails with `errno`. Tells the sizes tried.
    fn try_open(start: u64, room: u64, errno: i32, budget: Budget) -> (Option<u64>, Vec<u64>) {
        let mut tried = Vec::new();
        let opened = open_halving("test", start, 1, |size| {
            tried.push(size);
            let error = libbpf_rs::Error::from_raw_os_error(errno);
            let for_want_of_memory = budget.lacks(error.kind());
            if size <= room { Ok(()) } else { Err(Refused { error, for_want_of_memory }) }
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
        assert_eq!(try_open(16, 4, EINVAL, Budget::Applies), (None, vec![16]));
    }
}
