//! Runs the commands of a page, in a folder that has what a reader of the page has.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use crate::pages::repository;

/// The binary.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_otel-tcpretrans");

/// After so many seconds a command that would go on is told to stop. It has long started then.
const SECONDS: u32 = 5;
/// The exit code for a missing privilege.
const UNPRIVILEGED: i32 = 77;

/// A folder with `config`, `tests/replay` and the binary on the path.
pub(crate) struct Folder(TempDir);

pub(crate) enum Outcome {
    Worked,
    /// It needs a privilege that this user does not have, and nobody has said that there must be one.
    Unprivileged,
    /// It did not work: the exit code and what it printed.
    Failed(String),
}

impl Folder {
    pub(crate) fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        for path in ["bin", "tests"] {
            fs::create_dir(folder.0.path().join(path)).expect("a folder");
        }
        for path in ["config", "tests/replay"] {
            symlink(repository().join(path), folder.0.path().join(path)).expect("a link");
        }
        folder.write(
            "bin/otel-tcpretrans",
            // In the foreground it gets one signal. Else its group gets another one, which stops it at once.
            &format!("#!/bin/sh\nexec timeout --foreground --preserve-status {SECONDS} '{BINARY}' \"$@\"\n"),
        );
        let program = folder.0.path().join("bin/otel-tcpretrans");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("a mode");
        folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("writing a file");
    }

    /// Runs a script that ends with the first command that fails.
    pub(crate) fn run(&self, script: &str) -> Outcome {
        let path = std::env::var("PATH").expect("a PATH");
        let output = Command::new("bash")
            .args(["--norc", "-euc", script])
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", format!("{}/bin:{path}", self.0.path().display()))
            // No port that another process may have, and no long wait for a backend that is not there.
            .env("OTEL_TCPRETRANS__SERVICE__TELEMETRY__METRICS__PROMETHEUS", "127.0.0.1:0")
            .env("OTEL_TCPRETRANS__SERVICE__SHUTDOWN_TIMEOUT", "1s")
            .output()
            .expect("running bash");
        match output.status.code() {
            Some(0) => Outcome::Worked,
            Some(UNPRIVILEGED) if std::env::var_os("OTEL_TCPRETRANS_REQUIRE_PRIVILEGED").is_none() => {
                Outcome::Unprivileged
            }
            code => Outcome::Failed(format!(
                "{code:?}\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}
