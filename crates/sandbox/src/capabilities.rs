//! Gives up the capabilities of a thread.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// A capability that a thread may keep, if it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// `CAP_BPF`.
    Bpf,
    /// `CAP_SYS_PTRACE`.
    SysPtrace,
}

impl Keep {
    fn capability(self) -> CapabilitySet {
        match self {
            Keep::Bpf => CapabilitySet::BPF,
            Keep::SysPtrace => CapabilitySet::SYS_PTRACE,
        }
    }
}

/// Gives up all capabilities but those of `keep` that it has, in every set. Returns these. The bounding set matters to programs that a process executes: it is
/// emptied where the process has the capability that this needs (`CAP_SETPCAP`).
pub(crate) fn keep_only(keep: &[Keep]) -> io::Result<Vec<Keep>> {
    match clear_ambient_capability_set() {
        Ok(()) | Err(Errno::INVAL) => {} // kernels before 4.3 have no such set
        Err(error) => return Err(error.into()),
    }
    let before = capabilities(None)?;
    if before.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().iter() {
            match remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(Errno::INVAL) => {} // an older kernel does not know the last ones
                Err(error) => return Err(error.into()),
            }
        }
    }
    let has = |keep: &&Keep| before.permitted.contains(keep.capability());
    let kept: Vec<Keep> = keep.iter().filter(has).copied().collect();
    let sets = kept.iter().fold(CapabilitySet::empty(), |sets, keep| sets | keep.capability());
    set_capabilities(
        None,
        CapabilitySets { effective: sets, permitted: sets, inheritable: CapabilitySet::empty() },
    )?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::thread;

    use super::*;

    #[test]
    fn a_thread_keeps_what_it_has_of_that_and_nothing_else() {
        let before = capabilities(None).unwrap();
        thread::spawn(move || {
            keep_only(&[Keep::SysPtrace]).unwrap();
            let after = capabilities(None).unwrap();
            let kept = before.permitted & CapabilitySet::SYS_PTRACE;
            assert_eq!((after.effective, after.permitted), (kept, kept));
            keep_only(&[]).unwrap();
            assert!(capabilities(None).unwrap().permitted.is_empty());
            let inherited = thread::spawn(|| capabilities(None).unwrap().permitted).join().unwrap();
            assert!(inherited.is_empty());
        })
        .join()
        .unwrap();
        assert_eq!(capabilities(None).unwrap(), before, "other threads are as they were");
    }
}
