//! The perf buffer: one per CPU, with one wakeup for many samples.
//!
//! libbpf-rs's own builder can't set the sample period, and a wakeup for each sample costs ten times the sample, so
//! libbpf is called here directly.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::rc::Rc;

use libbpf_rs::libbpf_sys;
use rustix::io::Errno;

use crate::buffer::{Budget, Refused, open_halving};
use crate::callback::Callback;

/// The perf buffers of all CPUs that are online.
pub(crate) struct PerfReader {
    buffer: NonNull<libbpf_sys::perf_buffer>,
    // The callbacks' context pointer points to it, so it is dropped after the buffer is freed.
    callback: Rc<Callback>,
    // libbpf keeps the map's descriptor as a number, and uses it once more when it frees the buffer: this one stays open
    // until then, even where the caller closes its own.
    _map: OwnedFd,
    /// Pages per CPU that were reached.
    pub(crate) pages_per_cpu: u64,
}

impl PerfReader {
    /// Opens buffers of `pages_per_cpu`, or of what the kernel gives, over a perf event array.
    pub(crate) fn open(
        map: impl AsFd,
        pages_per_cpu: u64,
        wakeup_events: u32,
        budget: Budget,
        callback: Rc<Callback>,
    ) -> libbpf_rs::Result<PerfReader> {
        let map = map.as_fd().try_clone_to_owned()?;
        let (buffer, pages_per_cpu) = open_halving("perf.pages_per_cpu", pages_per_cpu, 1, |pages| {
            Self::open_once(map.as_fd(), pages, wakeup_events, budget, &callback)
        })?;
        Ok(PerfReader { buffer, callback, _map: map, pages_per_cpu })
    }

    fn open_once(
        map: BorrowedFd<'_>,
        pages: u64,
        wakeup_events: u32,
        budget: Budget,
        callback: &Rc<Callback>,
    ) -> Result<NonNull<libbpf_sys::perf_buffer>, Refused> {
        let options = libbpf_sys::perf_buffer_opts {
            sz: size_of::<libbpf_sys::perf_buffer_opts>() as libbpf_sys::size_t,
            sample_period: wakeup_events, // libbpf sets wakeup_events to the same
            ..Default::default()
        };
        let context = Rc::as_ptr(callback).cast_mut().cast::<c_void>();
        // SAFETY: the map's descriptor is open; libbpf copies the options; the callbacks get `context` back only while
        // the buffer lives, and the reader keeps the callback alive beyond that.
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
    ///
    /// # Panics
    /// Where the callback panics.
    pub(crate) fn consume(&self) -> libbpf_rs::Result<()> {
        // SAFETY: the buffer lives as long as self, and this type is neither Send nor Sync: one thread at a time.
        let result = unsafe { libbpf_sys::perf_buffer__consume(self.buffer.as_ptr()) };
        self.callback.go_on();
        if result < 0 { Err(libbpf_rs::Error::from_raw_os_error(-result)) } else { Ok(()) }
    }
}

impl Drop for PerfReader {
    fn drop(&mut self) {
        // SAFETY: made by perf_buffer__new, freed once; the callback and the map's descriptor are dropped after this.
        unsafe { libbpf_sys::perf_buffer__free(self.buffer.as_ptr()) }
    }
}

unsafe extern "C" fn on_sample(context: *mut c_void, _cpu: c_int, data: *mut c_void, size: u32) {
    // SAFETY: `context` is the callback that open_once gave, alive as long as the buffer.
    let callback = unsafe { &*context.cast::<Callback>() };
    // SAFETY: libbpf hands `size` bytes of a record that stays in the ring until this function returns.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size as usize) };
    callback.call(bytes); // libbpf can't be told to stop: it takes the records out all the same
}
