//! How a receiver's thread gives up its privileges, and what it has to keep.

use std::os::fd::AsRawFd;

use libbpf_rs::libbpf_sys;
use otel_tcpretrans_pipeline::component::{Confinement, Keeps, ReceiverError};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// Takes from this thread what `confinement` takes, once it has started. It may go on looking into `other_processes`, and
/// it can read its maps.
///
/// # Errors
/// The kernel refuses it.
pub(crate) fn give_up(confinement: &Confinement, other_processes: bool) -> Result<(), ReceiverError> {
    if !confinement.is_there() {
        return Ok(());
    }
    let bpf = reading_maps_needs_a_capability();
    if bpf {
        tracing::info!(
            "this kernel asks for CAP_BPF when a process reads its own maps: the thread that does keeps it"
        );
    }
    let confined = confinement.confine(Keeps { bpf, other_processes });
    confined.map_err(|error| ReceiverError::Failed(format!("giving up the privileges: {error}")))
}

/// Kernels before 5.19 (c8644cd0efe7, kernel/bpf/syscall.c) refuse every bpf(2) to processes without a capability, where
/// `kernel.unprivileged_bpf_disabled` is set, as it is on Debian. Later ones refuse new programs and maps only.
fn reading_maps_needs_a_capability() -> bool {
    let Ok(sets) = capabilities(None) else { return false };
    if !sets.permitted.intersects(CapabilitySet::BPF | CapabilitySet::SYS_ADMIN) {
        return false; // it could keep nothing
    }
    // A file that is no map: where the kernel looks at it at all, it says so (EINVAL).
    let Ok(no_map) = eventfd(0, EventfdFlags::CLOEXEC) else { return false };
    let without = CapabilitySets { effective: CapabilitySet::empty(), ..sets };
    if set_capabilities(None, without).is_err() {
        return false;
    }
    let mut info = libbpf_sys::bpf_map_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: the descriptor is open, and `info` is writable for `length` bytes.
    let result =
        unsafe { libbpf_sys::bpf_map_get_info_by_fd(no_map.as_raw_fd(), &raw mut info, &raw mut length) };
    if let Err(error) = set_capabilities(None, sets) {
        tracing::error!(%error, "taking back the capabilities");
    }
    result == -Errno::PERM.raw_os_error()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn looking_what_the_kernel_asks_for_changes_no_capability() {
        let before = capabilities(None).unwrap();
        reading_maps_needs_a_capability();
        assert_eq!(capabilities(None).unwrap(), before);
    }
}
