//! Why something is not confined.

use std::io;

/// Why a thread is not confined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel does not let it give up its capabilities.
    #[error("giving up the capabilities: {0}")]
    Capabilities(io::Error),
    /// The kernel has no Landlock, or it is not switched on.
    #[error(
        "files are not confined: this kernel has no Landlock (it is there since Linux 5.13, if `lsm=` names it)"
    )]
    NoLandlock,
    /// Landlock refuses the rules.
    #[error("files are not confined: {0}")]
    Files(String),
    /// The kernel has no seccomp, or refuses the filter.
    #[error("system calls are not filtered: {0}")]
    Calls(String),
}
