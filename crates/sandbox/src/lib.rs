//! What the process gives up once it has started: its capabilities, most files, and most system calls.
//!
//! Capabilities and Landlock belong to a thread, and a thread inherits them from the one that starts it. So the process
//! confines its first thread before it starts any other. A thread that was started before, because it needs privileges for
//! a while, confines itself when it needs them no more. The filter of system calls is put on all threads at once.

mod calls;
mod capabilities;
mod error;
mod files;
mod folders;

pub use capabilities::Keep;
pub use error::Error;
pub use folders::Access;

use files::Files;

/// What a process may still do.
#[derive(Debug)]
pub struct Sandbox {
    files: Option<Files>,
}

/// Which threads may look at other processes. Landlock takes that from a thread (`hook_ptrace_access_check`,
/// security/landlock/task.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// This process alone.
    Own,
    /// All that its user and its capabilities allow. Such a thread keeps its access to files.
    All,
}

impl Sandbox {
    /// Prepares a sandbox in which only `access` is left of the files. Folders are opened here: so this still needs the
    /// privileges that the way to them needs. Nothing is confined yet.
    ///
    /// The error says what this kernel lacks. The sandbox beside it does without that.
    pub fn prepare(access: &Access) -> (Sandbox, Option<Error>) {
        match Files::prepare(access) {
            Ok(files) => (Sandbox { files: Some(files) }, None),
            Err(error) => (Sandbox { files: None }, Some(error)),
        }
    }

    /// Whether the kernel can confine files.
    pub fn confines_files(&self) -> bool {
        self.files.is_some()
    }

    /// Confines the calling thread, and all threads that it starts from now on. Returns which capabilities it has kept.
    ///
    /// # Errors
    /// The kernel refuses it. What was taken until then stays taken.
    pub fn confine(&self, keep: &[Keep], processes: Processes) -> Result<Vec<Keep>, Error> {
        rustix::thread::set_no_new_privs(true).map_err(|error| Error::Capabilities(error.into()))?;
        if let Some(files) = self.files.as_ref().filter(|_| processes == Processes::Own) {
            files.confine()?;
        }
        capabilities::keep_only(keep).map_err(Error::Capabilities)
    }

    /// Filters the system calls of all threads of the process, now and later. The others are refused with `EPERM`.
    ///
    /// # Errors
    /// The kernel refuses it, for example because a thread has another filter than this one.
    pub fn filter_calls() -> Result<(), Error> {
        calls::filter()
    }
}
