//! The kernel's own count beside ours, over one run.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

type Read = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// RetransSegs of one network namespace, and how much it grows.
pub struct Kernel {
    read: Read,
    netns_inode: Option<u32>,
    /// The count before the receiver started.
    before: Option<u64>,
    span: Mutex<Span>,
}

#[derive(Default)]
struct Span {
    /// The count when the receiver had started.
    begin: Option<u64>,
    /// The count when the receiver had stopped.
    end: Option<u64>,
}

impl Kernel {
    /// The counter of the namespace with this inode. `read` reads it, or gives `None` where it can't. Call this before the
    /// receiver starts.
    pub fn new(netns_inode: Option<u32>, read: impl Fn() -> Option<u64> + Send + Sync + 'static) -> Kernel {
        let before = read();
        Kernel { read: Box::new(read), netns_inode, before, span: Mutex::default() }
    }

    /// The namespace's inode, as records have it; `None` if it is not known.
    pub(super) fn netns_inode(&self) -> Option<u32> {
        self.netns_inode
    }

    /// The receiver has started.
    pub(super) fn begin(&self) {
        let begin = (self.read)();
        self.span.lock().unwrap_or_else(PoisonError::into_inner).begin = begin;
    }

    /// The receiver has stopped.
    pub(super) fn end(&self) {
        let end = (self.read)();
        self.span.lock().unwrap_or_else(PoisonError::into_inner).end = end;
    }

    /// Segments by which the counter grew while the receiver ran. It is a range, since of those that were sent again while
    /// the receiver started it may have seen some. `None` if the counter could not be read.
    pub(super) fn grown(&self) -> Option<RangeInclusive<u64>> {
        let span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        let end = span.end?;
        Some(end.checked_sub(span.begin?)?..=end.checked_sub(self.before?)?)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("grown", &self.grown()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn it_grows_while_the_receiver_runs() {
        let counter = Arc::new(AtomicU64::new(100));
        let read = Arc::clone(&counter);
        let kernel = Kernel::new(None, move || Some(read.load(Ordering::Relaxed)));
        counter.store(103, Ordering::Relaxed);
        kernel.begin();
        counter.store(130, Ordering::Relaxed);
        assert_eq!(kernel.grown(), None, "it runs still");
        kernel.end();
        counter.store(140, Ordering::Relaxed);
        assert_eq!(kernel.grown(), Some(27..=30));
    }

    #[test]
    fn a_counter_that_cannot_be_read_is_not_compared() {
        let kernel = Kernel::new(None, || None);
        kernel.begin();
        kernel.end();
        assert_eq!(kernel.grown(), None);
    }
}
