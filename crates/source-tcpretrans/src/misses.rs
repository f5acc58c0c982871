//! Runs of a program that the kernel skipped, because the program was running on that CPU already.

use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::libbpf_sys;

/// `bpf_prog_info.recursion_misses` of a loaded program.
///
/// The field is there since Linux 5.12, and 0 before. BTF-typed tracepoints are counted since 6.1 and 6.0.10
/// (05b24ff9b2cf), which also began to skip them; before, a nested run counts itself (bpf/output.h). Classic tracepoints
/// have always been skipped (`trace_call_bpf`, kernel/trace/bpf_trace.c), and are counted since 6.7 (dd8657894c11).
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
