//! The sandbox of the process: when it gives up what.
//!
//! The first thread gives up everything before it starts the others. Only one thread is started before that: receivers
//! start on it, and it ends when all have started.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use otel_tcpretrans_pipeline::component::{Confinement, Keeps, Starter};
use otel_tcpretrans_sandbox::{Access, Error, Keep, Processes, Sandbox};
use tracing::info;

use crate::config::Sandboxing;
use crate::exit::Unsupported;

/// How the process confines itself.
pub(crate) struct Confined {
    mode: Sandboxing,
    /// `None` if it does not.
    sandbox: Option<Arc<Sandbox>>,
    access: Access,
}

impl Confined {
    /// Prepares the sandbox. Nothing is given up yet.
    ///
    /// # Errors
    /// With [`Sandboxing::On`], what the kernel lacks.
    pub(crate) fn prepare(mode: Sandboxing, access: Access) -> anyhow::Result<Confined> {
        if mode == Sandboxing::Off {
            return Ok(Confined { mode, sandbox: None, access });
        }
        for folder in access.made_folders() {
            // A folder that is not there can't be made later. If this fails, who uses the folder says so.
            let _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        }
        let (sandbox, lacks) = Sandbox::prepare(&access);
        let confined = Confined { mode, sandbox: Some(Arc::new(sandbox)), access };
        lacks.map_or(Ok(()), |error| confined.lacks(error))?;
        Ok(confined)
    }

    /// What may be opened once it is in force; `None` if everything may.
    pub(crate) fn access(&self) -> Option<&Access> {
        self.sandbox.as_ref().map(|_| &self.access)
    }

    /// Where receivers start. It has what the calling thread has now.
    pub(crate) fn starter(&self) -> io::Result<Starter> {
        if self.sandbox.is_some() { Starter::privileged() } else { Ok(Starter::default()) }
    }

    /// How the receivers' threads are confined.
    pub(crate) fn confinement(&self) -> Confinement {
        let Some(sandbox) = self.sandbox.clone() else { return Confinement::default() };
        Confinement::by(move |Keeps { bpf, other_processes }| {
            let mut keep = Vec::from_iter(bpf.then_some(Keep::Bpf));
            keep.extend(other_processes.then_some(Keep::SysPtrace));
            let processes = if other_processes { Processes::All } else { Processes::Own };
            let kept = sandbox.confine(&keep, processes).map_err(io::Error::other)?;
            if other_processes {
                let ptrace = if kept.contains(&Keep::SysPtrace) { "CAP_SYS_PTRACE" } else { "no capability" };
                info!(
                    capability = ptrace,
                    "the thread of tcp_stats looks into other processes, so its files are not confined"
                );
            }
            Ok(())
        })
    }

    /// Confines the calling thread and those that it starts.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub(crate) fn enter(&self) -> anyhow::Result<()> {
        if let Some(sandbox) = &self.sandbox {
            sandbox.confine(&[], Processes::Own)?;
        }
        Ok(())
    }

    /// Filters the system calls of all threads, once everything has started.
    ///
    /// # Errors
    /// With [`Sandboxing::On`], what the kernel lacks.
    pub(crate) fn seal(&self) -> anyhow::Result<()> {
        let Some(sandbox) = &self.sandbox else { return Ok(()) };
        let filtered = Sandbox::filter_calls();
        let (files, calls) = (sandbox.confines_files(), filtered.is_ok());
        filtered.or_else(|error| self.lacks(error))?;
        info!(capabilities = "none", files, calls, "sandboxed");
        Ok(())
    }

    fn lacks(&self, error: Error) -> anyhow::Result<()> {
        if self.mode == Sandboxing::On {
            return Err(Unsupported(format!("service.sandbox: on: {error}")).into());
        }
        info!("sandbox: {error}");
        Ok(())
    }
}
