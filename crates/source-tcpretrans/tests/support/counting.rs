//! An allocator that counts, by thread, how often it is asked for memory. Not in `mod.rs`: it is global, and so for
//! programs that ask for it alone.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of all threads together.
static TOTAL: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Whether this thread is left out of the total.
    static LEFT_OUT: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: System does the work, under the caller's own promises; counting in atomics and in thread-locals without a
// destructor neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises; the memory is from System.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises; the memory is from System.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    if !LEFT_OUT.get() {
        TOTAL.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often all threads together have asked for memory until now.
#[allow(dead_code)] // each program uses one of the two counts
pub fn total() -> u64 {
    TOTAL.load(Ordering::Relaxed)
}

/// Leaves this thread out of the total from here on.
#[allow(dead_code)]
pub fn leave_out_this_thread() {
    LEFT_OUT.set(true);
}

/// How often `work` asks for memory, on this thread.
#[allow(dead_code)]
pub fn allocations_in(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}
