//! The perf buffer: one a CPU, woken once in many samples.
//!
//! libbpf-rs's own builder can't set the sample period, and a wakeup for each sample costs ten times the sample, so
//! libbpf is called here directly.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use libbpf_rs::libbpf_sys;
use rustix::io::Errno;

use crate::buffer::{Budget, Refused, open_halving};
use crate::sink::Sink;

/// The perf buffers of all CPUs that are online.
pub(crate) struct PerfReader {
    buffer: NonNull<libbpf_sys::perf_buffer>,
    // What the callbacks' context pointer points to; freed after the buffer.
    _sink: Rc<Sink>,
    /// Pages a CPU reached.
    pub(crate) pages_per_cpu: u64,
}

impl PerfReader {
    /// Opens buffers of `pages_per_cpu`, or of what the kernel will give, over a perf event array.
    pub(crate) fn open(
        map: impl AsFd,
        pages_per_cpu: u64,
        wakeup_events: u32,
        budget: Budget,
        sink: Rc<Sink>,
    ) -> libbpf_rs::Result<PerfReader> {
        let map = map.as_fd();
        let (buffer, pages_per_cpu) = open_halving("perf.pages_per_cpu", pages_per_cpu, 1, |pages| {
            Self::open_once(map, pages, wakeup_events, budget, &sink)
        })?;
        Ok(PerfReader { buffer, _sink: sink, pages_per_cpu })
    }

    fn open_once(
        map: BorrowedFd<'_>,
        pages: u64,
        wakeup_events: u32,
        budget: Budget,
        sink: &Rc<Sink>,
    ) -> Result<NonNull<libbpf_sys::perf_buffer>, Refused> {
        let options = libbpf_sys::perf_buffer_opts {
            sz: size_of::<libbpf_sys::perf_buffer_opts>() as libbpf_sys::size_t,
            sample_period: wakeup_events, // libbpf sets wakeup_events to the same
            ..Default::default()
        };
        let context = Rc::as_ptr(sink).cast_mut().cast::<c_void>();
        // SAFETY: the map's descriptor is open; libbpf copies the options; the callbacks get `context` back only while
        // the buffer lives, and the reader keeps the sink alive beyond that.
        let buffer = unsafe {
            libbpf_sys::perf_buffer__new(
                map.as_raw_fd(),
                pages as libbpf_sys::size_t,
                Some(on_sample),
                None, // the kernel side counts what found no room
                context,
                &options,
            )
        };
        // libbpf 1.x returns NULL and sets errno.
        NonNull::new(buffer).ok_or_else(|| {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or_default();
            let error = libbpf_rs::Error::from_raw_os_error(errno);
            // EACCES is kernel.perf_event_paranoid's, whatever the size.
            let for_want_of_memory = errno != Errno::ACCESS.raw_os_error() && budget.lacks(error.kind());
            Refused { error, for_want_of_memory }
        })
    }

    /// Becomes readable when a CPU's buffer asks for a wakeup.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the buffer lives as long as self, and with it its epoll descriptor.
        unsafe { BorrowedFd::borrow_raw(libbpf_sys::perf_buffer__epoll_fd(self.buffer.as_ptr())) }
    }

    /// Takes everything there is.
    pub(crate) fn consume(&self) -> libbpf_rs::Result<()> {
        // SAFETY: the buffer lives as long as self, and this type is neither Send nor Sync: one thread at a time.
        let result = unsafe { libbpf_sys::perf_buffer__consume(self.buffer.as_ptr()) };
        if result < 0 { Err(libbpf_rs::Error::from_raw_os_error(-result)) } else { Ok(()) }
    }
}

impl Drop for PerfReader {
    fn drop(&mut self) {
        // SAFETY: made by perf_buffer__new, freed once; the sink is dropped after this.
        unsafe { libbpf_sys::perf_buffer__free(self.buffer.as_ptr()) }
    }
}

/// Runs a callback of ours inside C frames, which a panic must not cross.
fn guarded(callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        std::process::abort();
    }
}

unsafe extern "C" fn on_sample(context: *mut c_void, _cpu: c_int, data: *mut c_void, size: u32) {
    // SAFETY: `context` is the sink that open_once gave, alive as long as the buffer.
    let sink = unsafe { &*context.cast::<Sink>() };
    // SAFETY: libbpf hands `size` bytes of a record that stays in the ring until this callback returns.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size as usize) };
    guarded(|| sink.record(bytes));
}
