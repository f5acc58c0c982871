//! Runs the binary on a configuration of a test, in a folder and an environment of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_otel-tcpretrans");

/// The shortest configuration that is valid and leaves nothing unused.
pub(crate) const MINIMAL: &str = "\
receivers:
  tcpretrans:
exporters:
  debug:
service:
  pipelines:
    logs: { receivers: [tcpretrans], exporters: [debug] }
";

/// A command on `config.yaml`, not yet run.
pub(crate) struct Case {
    folder: TempDir,
    command: Command,
}

/// What a command did: its exit code and its output.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Case {
    /// `otel-tcpretrans COMMAND --config config.yaml`.
    pub(crate) fn new(command: &str, config: &str) -> Case {
        Case::bare(&[command, "--config", "config.yaml"]).file("config.yaml", config)
    }

    /// A command with these arguments only.
    pub(crate) fn bare(arguments: &[&str]) -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(folder.path()).env_clear();
        Case { folder, command }
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Case {
        fs::write(self.folder.path().join(name), content).expect("writing a file");
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Case {
        self.command.arg(argument);
        self
    }

    pub(crate) fn set(self, argument: &str) -> Case {
        self.arg("--set").arg(argument)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Case {
        self.command.env(name, value);
        self
    }

    /// Sends stderr to `/dev/full`, where each write fails as on a full disk.
    pub(crate) fn stderr_full(mut self) -> Case {
        self.command.stderr(full());
        self
    }

    pub(crate) fn stdout_full(mut self) -> Case {
        self.command.stdout(full());
        self
    }

    /// Sends stdout to a pipe without a reader.
    pub(crate) fn stdout_unread(mut self) -> Case {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.command.stdout(writer);
        self
    }

    pub(crate) fn run(mut self) -> Outcome {
        Outcome::of(self.command.output().expect("running the binary"))
    }

    /// Runs it, and returns also what is in a file of its folder afterwards.
    pub(crate) fn run_and_read(mut self, name: &str) -> (Outcome, String) {
        let outcome = Outcome::of(self.command.output().expect("running the binary"));
        (outcome, fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
    }
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Outcome {
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Checks that it was refused with exactly these problems, in this order.
    #[track_caller]
    pub(crate) fn refused(&self, problems: &[&str]) {
        assert_eq!(self.code, Some(78), "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        let (summary, listed) = lines.split_last().expect("a summary");
        assert_eq!(listed, problems);
        assert!(summary.starts_with(&format!("{} problem", problems.len())), "{summary}");
    }

    /// Checks that it was refused, and that this is one of the problems.
    #[track_caller]
    pub(crate) fn refused_for(&self, problem: &str) {
        assert_eq!(self.code, Some(78), "{self:?}");
        assert!(self.stderr.lines().any(|line| line == problem), "no line {problem:?} in\n{}", self.stderr);
    }

    /// Checks that it succeeded without a warning.
    #[track_caller]
    pub(crate) fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(!self.stderr.contains("warning"), "{}", self.stderr);
    }
}

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("/dev/full")
}

/// `validate` on a configuration.
pub(crate) fn validate(config: &str) -> Outcome {
    Case::new("validate", config).run()
}

/// What `print-config` shows at a path, as YAML.
#[track_caller]
pub(crate) fn printed(case: Case, path: &str) -> serde_yaml::Value {
    let outcome = case.run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let root: serde_yaml::Value = serde_yaml::from_str(&outcome.stdout).expect("YAML");
    path.split('.')
        .fold(root, |value, key| value.get(key).unwrap_or_else(|| panic!("no {key} of {path}")).clone())
}

/// A folder that all users may read, with `binary` and `config.yaml` in it. The user `nobody` may not read root's
/// folders.
pub(crate) fn readable_by_all(config: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    // By another process: a child that a test in another thread forks meanwhile would inherit the open copy, and a file
    // that is open for writing can't be executed.
    let copied = Command::new("cp").arg(BINARY).arg(folder.path().join("binary")).status();
    assert!(copied.is_ok_and(|status| status.success()), "copying the binary");
    fs::write(folder.path().join("config.yaml"), config).expect("writing a file");
    folder
}

/// The repository's own folder.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
