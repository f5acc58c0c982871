//! Limits of this process that a test has to raise.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// From here on the process may have so many connections with both of their ends in it, and a few more descriptors.
pub fn allow_connections(connections: usize) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let needed = soft.max(5 * connections as u64);
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard.max(needed)).unwrap();
}
