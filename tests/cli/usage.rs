//! The command line itself, and what a process without privileges is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{Case, MINIMAL, Outcome, readable_by_all};

/// All commands.
pub(crate) const COMMANDS: [&str; 11] = [
    "run",
    "validate",
    "print-config",
    "trace",
    "report",
    "record",
    "top",
    "components",
    "check",
    "completions",
    "man",
];

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &["run"][..],
        &["validate"],
        &["frobnicate"],
        &[],
        &["run", "--config"],
        &["components", "x"],
        &["record"],
        &["record", "-o", "x", "--duration", "soon"],
        &["trace", "--count", "0"],
        &["trace", "--json", "--summary", "peer"],
        &["trace", "--replay", "x", "--scope", "netns"],
    ] {
        let outcome = Case::bare(arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
    }
    assert!(Case::bare(&["run"]).run().stderr.contains("--config <FILE>"));
}

#[test]
fn version_and_help_go_to_stdout() {
    let version = Case::bare(&["--version"]).run();
    assert_eq!(version.stdout, format!("otel-tcpretrans {}\n", env!("CARGO_PKG_VERSION")));
    let help = Case::bare(&["--help"]).run();
    help.succeeded();
    for command in COMMANDS {
        assert!(help.stdout.contains(&format!("\n  {command}")), "{command} is not in {}", help.stdout);
    }
}

#[test]
fn run_refuses_a_configuration_as_validate_does() {
    Case::new("run", &MINIMAL.replace("[debug]", "[]"))
        .run()
        .refused(&["config.yaml:7:5: service.pipelines.logs: has no exporters; expected at least one"]);
}

#[test]
fn a_log_filter_that_cannot_be_read_is_a_failure() {
    let outcome = Case::new("run", MINIMAL).env("RUST_LOG", "a=b=c").run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("RUST_LOG"), "{outcome:?}");
}

#[test]
fn the_reason_for_a_failed_run_is_printed_at_any_log_level() {
    let replay =
        MINIMAL.replace("tcpretrans:", "replay: { file: nowhere }").replace("[tcpretrans]", "[replay]")
            + "  telemetry: { metrics: { prometheus: null } }\n";
    for filter in ["", "off", "h2=debug"] {
        let outcome = Case::new("run", &replay).env("RUST_LOG", filter).run();
        assert_eq!(outcome.code, Some(78), "{outcome:?}");
        let said = "receiver `replay`: file: nowhere: No such file or directory (os error 2)";
        assert_eq!(outcome.stderr.matches(said).count(), 1, "{filter}: {outcome:?}");
    }
}

/// Runs the binary as an unprivileged user: as the present user, or if that is root, as `nobody` without any
/// capability.
fn unprivileged(arguments: &[&str]) -> Outcome {
    let quiet = MINIMAL.to_owned() + "  telemetry: { metrics: { prometheus: null } }\n";
    let folder = readable_by_all(&quiet);
    let uid = Command::new("id").arg("-u").output().expect("id").stdout;
    let mut command = if uid == b"0\n" {
        let mut setpriv = Command::new("setpriv");
        setpriv.args([
            "--reuid=65534",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
            "./binary",
        ]);
        setpriv
    } else {
        Command::new("./binary")
    };
    Outcome::of(command.args(arguments).current_dir(folder.path()).output().expect("running the binary"))
}

#[test]
fn run_without_privileges_names_the_capabilities_and_exits_with_77() {
    let outcome = unprivileged(&["run", "--config", "config.yaml"]);
    assert_eq!(outcome.code, Some(77), "{outcome:?}");
    assert!(outcome.stderr.contains("CAP_BPF") && outcome.stderr.contains("CAP_PERFMON"), "{outcome:?}");
    assert!(!outcome.stderr.contains(" ready"), "{outcome:?}");
}

#[test]
fn trace_without_privileges_names_the_capabilities_and_exits_with_77() {
    let outcome = unprivileged(&["trace"]);
    assert_eq!((outcome.code, &*outcome.stdout), (Some(77), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("CAP_BPF") && outcome.stderr.contains("CAP_PERFMON"), "{outcome:?}");
}

#[test]
fn record_without_privileges_exits_with_77_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("chmod");
    let file = folder.path().join("x.otr");
    let outcome = unprivileged(&["record", "--output", file.to_str().expect("UTF-8")]);
    assert_eq!(outcome.code, Some(77), "{outcome:?}");
    assert!(outcome.stderr.contains("CAP_BPF") && outcome.stderr.contains("CAP_PERFMON"), "{outcome:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn record_does_not_overwrite_what_is_there() {
    let outcome = Case::bare(&["record", "-o", "there"]).file("there", "mine").run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("there: exists; --force overwrites it"), "{outcome:?}");
    let outcome = Case::bare(&["record", "-o", "/dev/null", "--force"]).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("/dev/null: exists and is no regular file"), "{outcome:?}");
    let outcome = Case::bare(&["record", "-o", "nowhere/x"]).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("nowhere/x: No such file or directory"), "{outcome:?}");
}

#[test]
fn record_needs_a_tcpretrans_receiver() {
    let replay = MINIMAL.replace("tcpretrans:", "replay: { file: x }").replace("[tcpretrans]", "[replay]");
    Case::new("record", &replay)
        .arg("-o")
        .arg("x")
        .run()
        .refused(&["config.yaml: receivers: there is no tcpretrans to record"]);
    let outcome = Case::bare(&["record", "-o", "x", "--set", "a=b"]).run();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

#[test]
fn check_without_privileges_says_what_is_there_and_what_is_missing() {
    let outcome = unprivileged(&["check"]);
    assert_eq!(outcome.code, Some(77), "{outcome:?}");
    let report: serde_yaml::Value = serde_yaml::from_str(&outcome.stdout).expect("YAML");
    assert_eq!(report["facts"]["capabilities"]["bpf"], false);
    assert!(report["plan"].is_null());
    assert!(outcome.stderr.contains("CAP_BPF"), "{outcome:?}");
}

#[test]
fn check_for_people_says_what_to_do() {
    let outcome = unprivileged(&["check", "--text"]);
    assert_eq!(outcome.code, Some(77), "{outcome:?}");
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("Linux "), "{outcome:?}");
    let place =
        lines.iter().position(|line| line.starts_with("missing  privileges")).expect("the privileges");
    assert!(lines[place].ends_with("no CAP_BPF and no CAP_PERFMON"), "{outcome:?}");
    assert!(lines[place + 1].trim_start().starts_with("-> run it as root"), "{outcome:?}");
    assert!(lines.iter().any(|line| line.contains("kernel lockdown")), "{outcome:?}");
    assert!(!outcome.stdout.contains("The receiver tcpretrans starts here"), "{outcome:?}");
    assert!(outcome.stderr.starts_with("missing CAP_BPF and CAP_PERFMON"), "{outcome:?}");
    assert_eq!(Case::bare(&["check", "--text", "--yaml"]).run().code, Some(2));
}

#[test]
fn validate_needs_no_privileges() {
    assert_eq!(unprivileged(&["validate", "--config", "config.yaml"]).code, Some(0));
}
