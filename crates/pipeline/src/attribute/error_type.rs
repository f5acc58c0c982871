//! `error.type`: the names of errnos.

use std::fmt;

use nix::errno::Errno;

/// An errno, shown by its name: `EBUSY`. One that libc has no name for (kernel-internal ones) is shown as its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorType(pub i32);

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Errno::from_raw(self.0) {
            Errno::UnknownErrno => self.0.fmt(f),
            known => write!(f, "{known:?}"),
        }
    }
}

/// The errno of which `name` is the `error.type`.
pub(crate) fn errno(name: &str) -> Option<i32> {
    /// `MAX_ERRNO` (include/linux/err.h).
    const MAX: i32 = 4095;
    (1..=MAX).find(|errno| ErrorType(*errno).to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_names_both_ways() {
        assert_eq!((ErrorType(16).to_string(), errno("EBUSY")), ("EBUSY".to_owned(), Some(16)));
        // ENOTSUPP, which never leaves the kernel, has no name in libc.
        assert_eq!((ErrorType(524).to_string(), errno("524")), ("524".to_owned(), Some(524)));
        assert_eq!((errno("EBUZY"), errno("0")), (None, None));
    }
}
