//! Signals that change the screen, as flags. The handlers only set them, so that they work beside those of the runtime,
//! and also when no runtime is there any more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP};
use signal_hook::flag;
use signal_hook::low_level::raise;

/// What has been asked of the screen since the start. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    end: Arc<AtomicBool>,
    suspend: Arc<AtomicBool>,
    resume: Arc<AtomicBool>,
}

impl Flags {
    /// Flags that signals set from now on.
    pub(crate) fn install() -> io::Result<Flags> {
        let flags = Flags::default();
        // SIGHUP comes when the terminal is closed, SIGQUIT of Ctrl-\.
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
            flag::register(signal, Arc::clone(&flags.end))?;
        }
        flag::register(SIGTSTP, Arc::clone(&flags.suspend))?;
        flag::register(SIGCONT, Arc::clone(&flags.resume))?;
        Ok(flags)
    }

    /// Asks the screen to end.
    pub(crate) fn end(&self) {
        self.end.store(true, Ordering::SeqCst);
    }

    /// Whether the screen is to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.end.load(Ordering::SeqCst)
    }

    /// Whether the process is to be suspended. The answer is given once for each signal.
    pub(crate) fn suspends(&self) -> bool {
        self.suspend.swap(false, Ordering::SeqCst)
    }

    /// Whether the process goes on after it was stopped. The answer is given once for each signal.
    pub(crate) fn resumes(&self) -> bool {
        self.resume.swap(false, Ordering::SeqCst)
    }
}

/// Stops this process, as the default action of SIGTSTP does. Returns when it goes on.
pub(crate) fn stop() -> io::Result<()> {
    raise(SIGSTOP)
}
