//! A real terminal: a shell in tmux, whose screen can be read and whose keys can be pressed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::e2e::harness::BINARY;
use crate::e2e::support::namespace::wait_for;

/// How long the screen may take to show something.
const SHOWN: Duration = Duration::from_secs(30);

/// A terminal with a shell. Ends with this value, with all that runs in it.
pub struct Tmux {
    folder: TempDir,
}

impl Tmux {
    /// A terminal of this size, in the namespaces of this thread. The shell finds the binary as `./program`, which shows
    /// UTF-8 unless it is told otherwise.
    pub fn start(width: u16, height: u16) -> Tmux {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(BINARY, folder.path().join("program")).expect("a link");
        let tmux = Tmux { folder };
        let size = [width.to_string(), height.to_string()];
        let shell = "env -i TERM=screen LANG=C.UTF-8 PATH=/usr/bin:/bin PS1='$ ' sh";
        tmux.run(["new-session", "-d", "-x", &size[0], "-y", &size[1], shell]);
        tmux.wait_until("a prompt", |screen| screen.contains('$'));
        tmux
    }

    /// A file in the folder in which the shell runs.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Types a line into the shell.
    pub fn enter(&self, line: &str) {
        self.run(["send-keys", "-l", line]);
        self.keys(&["Enter"]);
    }

    /// Presses keys, by tmux's names.
    pub fn keys(&self, keys: &[&str]) {
        self.run([&["send-keys"], keys].concat());
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.run(["resize-window", "-x", &width, "-y", &height]);
    }

    /// What is on the screen now.
    pub fn screen(&self) -> String {
        String::from_utf8(self.run(["capture-pane", "-p"]).stdout).expect("UTF-8")
    }

    /// Waits until the screen shows something.
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut(&str) -> bool) -> String {
        let mut screen = String::new();
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, SHOWN, || {
                screen = self.screen();
                condition(&screen)
            });
        }));
        if let Err(panic) = waited {
            eprintln!("--- the screen:\n{screen}");
            std::panic::resume_unwind(panic);
        }
        screen
    }

    /// Whether the terminal is as the shell had it: its own screen, with a cursor. What the keys do is asked in the shell.
    pub fn is_given_back(&self) -> bool {
        let format = "#{alternate_on} #{cursor_flag}";
        self.run(["display-message", "-p", format]).stdout == b"0 1\n"
    }

    /// Fails unless the terminal is as the shell had it, with lines that can be edited and that are shown as they are typed.
    pub fn assert_given_back(&self) {
        wait_for("the terminal to be given back", SHOWN, || self.is_given_back());
        self.enter("clear; stty -a");
        let modes = self.wait_until("the modes", |screen| screen.contains("isig"));
        let modes: Vec<_> = modes.split_whitespace().collect();
        for mode in ["icanon", "echo", "isig", "opost", "icrnl"] {
            assert!(modes.contains(&mode), "not {mode}: {modes:?}");
        }
    }

    /// The process that the shell has started.
    pub fn child(&self) -> Pid {
        let shell = self.run(["display-message", "-p", "#{pane_pid}"]).stdout;
        let shell = String::from_utf8(shell).expect("UTF-8").trim().to_owned();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("children");
        let child = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child");
        Pid::from_raw(child).expect("a process id")
    }

    /// Sends a signal to that process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.child(), signal).expect("kill");
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let output = command(self.folder.path()).args(arguments).output().expect("tmux");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may have ended with its shell.
        let _ = command(self.folder.path()).arg("kill-server").output();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("tmux");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
    command.current_dir(folder).arg("-u").arg("-S").arg(folder.join("tmux")).args(["-f", "/dev/null"]);
    command
}
