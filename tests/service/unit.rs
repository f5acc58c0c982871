//! The unit, by the real systemd-analyze, which the package `systemd` has.

use std::fs;
use std::process::{Command, Output};

use crate::e2e::harness::{BINARY, Case};

const UNIT: &str = include_str!("../../deploy/systemd/otel-tcpretrans.service");
/// Where the package puts the binary.
const INSTALLED: &str = "/usr/bin/otel-tcpretrans ";
/// Tenths of the exposure that is allowed.
const THRESHOLD: &str = "--threshold=15";

/// Runs a command of systemd-analyze on a unit that starts the binary of this build.
fn analyze(arguments: &[&str], unit: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("otel-tcpretrans.service");
    assert!(unit.contains(INSTALLED), "the unit starts another binary");
    fs::write(&file, unit.replace(INSTALLED, &format!("{BINARY} "))).unwrap();
    Command::new("systemd-analyze").args(arguments).arg(&file).output().expect("systemd-analyze")
}

/// The unit with `line` replaced.
fn spoiled(line: &str, replacement: &str) -> String {
    assert!(UNIT.lines().any(|known| known == line), "the unit has no line {line}");
    UNIT.replace(&format!("\n{line}\n"), &format!("\n{replacement}\n"))
}

#[test]
fn systemd_finds_nothing_wrong() {
    // The man page is the package's.
    let verify = |unit: &str| analyze(&["verify", "--man=no", "--recursive-errors=yes"], unit);
    let good = verify(UNIT);
    assert!(good.status.success() && good.stderr.is_empty(), "{good:?}");
    let bad = verify(&spoiled("WatchdogSec=30s", "WatchdogSecs=30s"));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("WatchdogSecs"), "{bad:?}");
}

#[test]
fn its_exposure_is_small() {
    let rate = |unit: &str| analyze(&["security", "--offline=true", "--no-pager", THRESHOLD], unit);
    let good = rate(UNIT);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stdout));
    for (line, worse) in [
        ("DynamicUser=yes", "User=root"),
        ("CapabilityBoundingSet=CAP_BPF CAP_PERFMON", "CapabilityBoundingSet=CAP_BPF CAP_SYS_ADMIN"),
        ("SystemCallFilter=@system-service", ""),
    ] {
        assert!(!rate(&spoiled(line, worse)).status.success(), "{worse} is rated as well as {line}");
    }
}

/// systemd would kill a drain that it does not wait for.
#[test]
fn a_stop_may_take_longer_than_the_drain() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/service.yaml");
    let printed = Case::bare(&["print-config", "--config", config]).run();
    let config: serde_yaml::Value = serde_yaml::from_str(&printed.stdout).unwrap();
    let seconds = |text: &str| text.strip_suffix('s').unwrap().parse::<u64>().unwrap();
    let drain = seconds(config["service"]["shutdown_timeout"].as_str().unwrap());
    let stop = UNIT.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(drain + 5 <= seconds(stop), "{drain} {stop}");
}
