//! How a receiver's thread gives up its privileges.

use std::sync::Arc;
use std::{fmt, io};

/// What a receiver's thread needs after its start. By default that is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// `CAP_BPF`, to read its own maps: some kernels ask for it.
    pub bpf: bool,
    /// To look into other processes: `CAP_SYS_PTRACE`, if it has that.
    pub other_processes: bool,
}

type Confine = dyn Fn(Keeps) -> io::Result<()> + Send + Sync;

/// Takes privileges from the calling thread. The default takes none. Clones do the same.
#[derive(Clone, Default)]
pub struct Confinement(Option<Arc<Confine>>);

impl Confinement {
    /// Takes them by `confine`.
    pub fn by(confine: impl Fn(Keeps) -> io::Result<()> + Send + Sync + 'static) -> Confinement {
        Confinement(Some(Arc::new(confine)))
    }

    /// Whether it takes any.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Takes all privileges but `keeps` from the calling thread.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn confine(&self, keeps: Keeps) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |confine| confine(keeps))
    }
}

impl fmt::Debug for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_there() { "confined" } else { "not confined" })
    }
}
