//! The release binary, and an older one beside it: started with a configuration, and watched until its end.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::cpu;
use crate::e2e::agent::log;
use crate::e2e::background::Background;
use crate::e2e::books::Books;
use crate::e2e::harness::BINARY;
use crate::e2e::support::hidden::Hidden;
use crate::e2e::support::namespace::wait_for;

/// How long a process may take to end.
const DEADLINE: Duration = Duration::from_secs(120);

/// The binaries that are measured.
pub struct Builds {
    /// This checkout's.
    pub new: PathBuf,
    /// `OLD_BINARY`, to compare with.
    pub old: Option<PathBuf>,
}

impl Builds {
    pub fn find() -> Builds {
        let old = std::env::var_os("OLD_BINARY").filter(|path| !path.is_empty()).map(PathBuf::from);
        if let Some(old) = &old {
            assert!(old.is_file(), "OLD_BINARY: no file {}", old.display());
        }
        // The agents run in folders of their own.
        let absolute = |path: PathBuf| std::path::absolute(path).expect("the working folder");
        Builds { new: absolute(BINARY.into()), old: old.map(absolute) }
    }

    /// Those that there are.
    pub fn all(&self) -> impl Iterator<Item = (Build, &Path)> {
        let old = self.old.as_deref().map(|path| (Build::Old, path));
        std::iter::once((Build::New, self.new.as_path())).chain(old)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    New,
    Old,
}

/// What a process that has ended in order tells.
pub struct Ended {
    /// User and system time of its whole life.
    pub cpu_seconds: f64,
    /// Its books, which balance.
    pub books: Books,
}

/// Starts a binary with `run`, in a folder with its configuration.
pub fn start(binary: &Path, config: &str) -> Background {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("config.yaml"), config).expect("writing a file");
    let mut command = Command::new(OsStr::new(binary));
    command.env_clear().args(["run", "--config", "config.yaml", "--log-format", "json"]);
    Background::start_into("the agent", &mut command, folder, Stdio::null())
}

/// Waits until it ends. Fails unless it ended in order.
pub fn ended(mut agent: Background) -> Ended {
    // This does not ask for the exit code, since that would remove the zombie.
    wait_for("the agent's end", DEADLINE, || cpu::has_ended(agent.pid()));
    let cpu_seconds = cpu::seconds(agent.pid());
    assert_eq!(agent.exit_code(DEADLINE), Some(0), "{}", agent.stderr());
    let books = Books::of(&log(&agent), Hidden::default());
    books.assert_balanced();
    Ended { cpu_seconds, books }
}
