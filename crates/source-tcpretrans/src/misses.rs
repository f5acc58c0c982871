//! Events that a program never saw: the kernel skips a program that is running already on the CPU.

use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::libbpf_sys;

/// `bpf_prog_info.recursion_misses` of a loaded program (since Linux 5.12; 0 before).
pub(crate) fn recursion_misses(program: impl AsFd) -> libbpf_rs::Result<u64> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: the descriptor is open, `info` is writable for `length` bytes, and all its pointers are null, which asks
    // for no arrays.
    let result = unsafe {
        libbpf_sys::bpf_prog_get_info_by_fd(program.as_fd().as_raw_fd(), &raw mut info, &raw mut length)
    };
    if result < 0 {
        return Err(libbpf_rs::Error::from_raw_os_error(-result));
    }
    Ok(info.recursion_misses)
}
