//! What a static binary has to settle before it does anything else. It is here since it needs `unsafe`; it has nothing to
//! do with retransmissions.

/// Makes a static binary resolve names of hosts by `/etc/hosts` and DNS alone, whatever `/etc/nsswitch.conf` says. In a
/// dynamic binary it does nothing: there `/etc/nsswitch.conf` is followed.
///
/// glibc loads other sources of names (`myhostname`, `resolve`, `mdns4_minimal`) as shared libraries. These need the
/// machine's own glibc, and a static binary that has another version in it crashes when it loads them: seen with
/// glibc 2.36 inside on machines with 2.31 (SIGABRT) and 2.43 (SIGSEGV).
///
/// To be called at the start, before any other thread exists.
pub fn resolve_without_plugins() {
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    {
        use std::ffi::{c_char, c_int};

        unsafe extern "C" {
            /// `nss.h` of glibc: replaces the line of one database of `nsswitch.conf` for this process.
            fn __nss_configure_lookup(database: *const c_char, line: *const c_char) -> c_int;
        }
        // SAFETY: both are strings that end with NUL, and glibc copies what it needs of them. No other thread resolves a
        // name at the same time, since there is none yet.
        let _ = unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    }
}
