//! The memory of a BPF map, mapped into this process: to read or to write it is a load or a store, and needs no privilege.

use std::os::fd::AsFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A mapping of 64-bit numbers, which the kernel side may change at any time.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u64>,
    words: usize,
    bytes: usize,
    is_writable: bool,
}

impl Mapping {
    /// Maps the first `words` numbers of an mmapable array. They can't be stored to.
    pub(crate) fn read_only(map: impl AsFd, words: usize) -> rustix::io::Result<Mapping> {
        Self::new(map, words, false)
    }

    /// Maps the first `words` numbers of an mmapable array.
    pub(crate) fn writable(map: impl AsFd, words: usize) -> rustix::io::Result<Mapping> {
        Self::new(map, words, true)
    }

    fn new(map: impl AsFd, words: usize, is_writable: bool) -> rustix::io::Result<Mapping> {
        let bytes = (words * size_of::<u64>()).next_multiple_of(rustix::param::page_size());
        let access = if is_writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe { mmap(ptr::null_mut(), bytes, access, MapFlags::SHARED, map, 0)? };
        let start = NonNull::new(start.cast()).ok_or(rustix::io::Errno::INVAL)?;
        Ok(Mapping { start, words, bytes, is_writable })
    }

    /// Reads a number.
    ///
    /// # Panics
    /// Where the mapping does not have so many.
    pub(crate) fn load(&self, word: usize) -> u64 {
        self.word(word).load(Ordering::Relaxed)
    }

    /// Writes a number.
    ///
    /// # Panics
    /// Where the mapping does not have so many, or is read-only.
    pub(crate) fn store(&self, word: usize, number: u64) {
        assert!(self.is_writable);
        self.word(word).store(number, Ordering::Relaxed);
    }

    fn word(&self, word: usize) -> &AtomicU64 {
        assert!(word < self.words);
        // SAFETY: by the assertion the address lies in the mapping, which lives as long as self. It is aligned, because a
        // mapping begins at a page. The kernel side writes to it meanwhile, which an atomic access may race with.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(word)) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing points into it after this.
        if let Err(error) = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) } {
            tracing::warn!(%error, "unmapping a map");
        }
    }
}

// SAFETY: the mapping is used by atomic loads and stores only, from any thread, and unmapped once, by its owner.
unsafe impl Send for Mapping {}
// SAFETY: as for Send.
unsafe impl Sync for Mapping {}
