//! The function that takes a buffer's records. libbpf calls it from C, which a panic must not cross.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

type Take = dyn Fn(&[u8]);

/// Takes records until it panics. The panic is kept, and goes on once libbpf has returned.
pub(crate) struct Callback {
    take: Box<Take>,
    has_panicked: Cell<bool>,
    payload: RefCell<Option<Box<dyn Any + Send>>>,
}

impl Callback {
    /// Gives each record to `take`.
    pub(crate) fn new(take: impl Fn(&[u8]) + 'static) -> Callback {
        Callback { take: Box::new(take), has_panicked: Cell::new(false), payload: RefCell::new(None) }
    }

    /// Takes a record. Never panics. False once a record has led to a panic: that one and all after it are not taken.
    pub(crate) fn call(&self, bytes: &[u8]) -> bool {
        if self.has_panicked.get() {
            return false;
        }
        // What a panic leaves half done is not used again: the panic ends the thread that owns it.
        let result = catch_unwind(AssertUnwindSafe(|| (self.take)(bytes)));
        if let Err(payload) = result {
            self.has_panicked.set(true);
            self.payload.replace(Some(payload));
        }
        !self.has_panicked.get()
    }

    /// Lets a kept panic go on. It is to be called outside of libbpf's frames.
    ///
    /// # Panics
    /// Where the function has panicked since the last call.
    pub(crate) fn go_on(&self) {
        if let Some(payload) = self.payload.take() {
            resume_unwind(payload);
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("has_panicked", &self.has_panicked.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_panic_is_kept_until_it_may_go_on_and_nothing_is_taken_after_it() {
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        let callback = Callback::new(move |bytes| {
            assert_ne!(bytes, b"bad");
            count.set(count.get() + 1);
        });
        callback.go_on();
        assert_eq!([b"one", b"bad", b"two"].map(|bytes| callback.call(bytes)), [true, false, false]);
        assert!(catch_unwind(AssertUnwindSafe(|| callback.go_on())).is_err());
        callback.go_on();
        assert!(!callback.call(b"two"));
        assert_eq!(taken.get(), 1);
    }
}
