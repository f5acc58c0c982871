//! What goes to stdout: print-config and components.

use std::fs;

use serde_yaml::Value;

use crate::harness::{Case, MINIMAL, repository};

#[test]
fn what_print_config_prints_is_valid_and_prints_the_same_again() {
    let mut files: Vec<_> = ["demo.yaml", "host.yaml", "sidecar.yaml"]
        .map(|name| fs::read_to_string(repository().join("config").join(name)).expect(name))
        .into();
    let resource = "{ a: '$${env:NO_SUCH_VARIABLE}', b: $$$$, c: '1', d: 1.0, e: null, f: 'x: #y' }";
    files.push(format!("{MINIMAL}  telemetry: {{ resource: {resource} }}\n"));
    for file in files {
        let first = Case::new("print-config", &file).run();
        assert_eq!(first.code, Some(0), "{first:?}");
        let second = Case::new("print-config", &first.stdout).run();
        assert_eq!(second.code, Some(0), "{second:?}");
        assert_eq!(first.stdout, second.stdout);
    }
}

#[test]
fn print_config_fills_in_defaults_and_the_specifications_variables() {
    let config = MINIMAL.replace("debug:", "otlp:").replace("[debug]", "[otlp]");
    let outcome =
        Case::new("print-config", &config).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://spec:4317").run();
    let root: Value = serde_yaml::from_str(&outcome.stdout).expect("YAML");
    assert_eq!(root["exporters"]["otlp"]["endpoint"], "http://spec:4317");
    assert_eq!(root["exporters"]["otlp"]["compression"], "gzip");
    assert_eq!(root["receivers"]["tcpretrans"]["ringbuf"]["size"], "1MiB");
    let wakeup = &root["receivers"]["tcpretrans"]["wakeup"];
    assert!(
        wakeup["events"].is_null() && wakeup["interval"].is_null(),
        "as the transport needs it: {wakeup:?}"
    );
    assert_eq!(root["service"]["shutdown_timeout"], "30s");
}

#[test]
fn print_config_masks_secrets() {
    let config = MINIMAL
        .replace("debug:", "otlp: { headers: { authorization: \"Bearer ${env:TOKEN}\" } }")
        .replace("[debug]", "[otlp]");
    let outcome = Case::new("print-config", &config).env("TOKEN", "hunter2").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("authorization: '[REDACTED]'"), "{}", outcome.stdout);
    assert!(!format!("{outcome:?}").contains("hunter2"));
}

#[test]
fn print_config_refuses_what_validate_refuses() {
    let outcome = Case::new("print-config", &MINIMAL.replace("[debug]", "[x]")).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(78), ""));
}

#[test]
fn a_failure_to_write_to_stderr_changes_no_exit_code() {
    let recording = repository().join("tests/replay/retransmits.otr");
    let replay = MINIMAL
        .replace("tcpretrans:", &format!("replay: {{ file: '{}' }}", recording.display()))
        .replace("[tcpretrans]", "[replay]");
    let quiet = replay + "  telemetry: { metrics: { prometheus: null } }\n";
    let run = Case::new("run", &quiet).stderr_full().run();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.lines().count() > 20, "{run:?}");
    assert_eq!(Case::new("validate", MINIMAL).stderr_full().run().code, Some(0));
    assert_eq!(Case::new("validate", "nonsense").stderr_full().run().code, Some(78));
}

#[test]
fn output_that_nobody_reads_is_no_failure_and_a_full_disk_is_one() {
    for command in ["print-config", "components"] {
        let case = || match command {
            "components" => Case::bare(&[command]),
            _ => Case::new(command, MINIMAL),
        };
        let unread = case().stdout_unread().run();
        assert_eq!((unread.code, unread.stderr.as_str()), (Some(0), ""), "{command}");
        let full = case().stdout_full().run();
        let said = "can't write to the standard output: No space left on device (os error 28)\n";
        assert_eq!((full.code, full.stderr.as_str()), (Some(1), said), "{command}");
    }
}

#[test]
fn components_lists_what_can_be_configured() {
    let outcome = Case::bare(&["components"]).run();
    outcome.succeeded();
    let root: Value = serde_yaml::from_str(&outcome.stdout).expect("YAML");
    for (section, names) in [
        ("receivers", &["tcpretrans", "replay", "tcp_stats"][..]),
        ("processors", &["filter", "cgroup", "networks", "k8s_attributes", "aggregate", "batch"]),
        ("exporters", &["otlp", "otlp_http", "prometheus", "file", "debug"]),
        ("extensions", &["file_storage", "health_check", "zpages"]),
    ] {
        let listed = root[section].as_sequence().expect(section);
        let listed: Vec<_> = listed.iter().map(|entry| entry["name"].as_str().expect("name")).collect();
        assert_eq!(listed, names, "{section}");
    }
    assert_eq!(root["exporters"][1]["aliases"][0], "otlphttp");
    assert_eq!(root["processors"][3]["aliases"][0], "k8sattributes");
    assert_eq!(root["receivers"][0]["stability"]["logs"], "alpha");
    assert_eq!(root["extensions"][0]["stability"]["extension"], "alpha");
    assert_eq!(root["buildinfo"]["version"], env!("CARGO_PKG_VERSION"));
}
