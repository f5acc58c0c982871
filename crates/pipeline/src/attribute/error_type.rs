//! `error.type`: the names of errnos.

use std::fmt;

use nix::errno::Errno;

/// An errno, shown by its name: `EBUSY`. If libc has no name for it (it is internal to the kernel), its number is
/// shown.
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

/// The errno that is shown as `name`; `None` if there is none.
pub(crate) fn errno(name: &str) -> Option<i32> {
    /// `MAX_ERRNO` (include/linux/err.h).
    const MAX: i32 = 4095;
    (1..=MAX).find(|errno| ErrorType(*errno).to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_become_names_and_names_become_errnos() {
        assert_eq!((ErrorType(16).to_string(), errno("EBUSY")), ("EBUSY".to_owned(), Some(16)));
        // ENOTSUPP, which never leaves the kernel, has no name in libc.
        assert_eq!((ErrorType(524).to_string(), errno("524")), ("524".to_owned(), Some(524)));
        assert_eq!((errno("EBUZY"), errno("0")), (None, None));
    }
}
