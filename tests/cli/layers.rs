//! Substitution, and which layer wins.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Case, MINIMAL, printed};

fn with_endpoint(endpoint: &str) -> String {
    MINIMAL.replace("debug:", &format!("otlp:\n    endpoint: {endpoint}")).replace("[debug]", "[otlp]")
}

const ENDPOINT: &str = "exporters.otlp.endpoint";

#[test]
fn an_unset_variable_is_refused_where_it_stands() {
    Case::new("validate", &with_endpoint("\"${env:UNSET}\"")).run().refused(&[
        "config.yaml:5:15: exporters.otlp.endpoint: environment variable UNSET is not set; set it, or give a default: \
         ${env:UNSET:-default}",
    ]);
}

#[test]
fn a_reference_without_a_source_is_refused() {
    Case::new("validate", &with_endpoint("\"${PLACE}\"")).run().refused(&[
        "config.yaml:5:15: exporters.otlp.endpoint: ${PLACE} names no source; did you mean ${env:PLACE}?",
    ]);
}

#[test]
fn a_variable_wins_over_its_default() {
    let config = with_endpoint("\"http://${env:PLACE:-localhost}:1\"");
    assert_eq!(printed(Case::new("print-config", &config), ENDPOINT), "http://localhost:1");
    assert_eq!(printed(Case::new("print-config", &config).env("PLACE", "there"), ENDPOINT), "http://there:1");
}

#[test]
fn a_whole_reference_is_typed_again_unless_quoted() {
    let capacity =
        |value| MINIMAL.replace("tcpretrans:\n", &format!("tcpretrans:\n    channel_capacity: {value}\n"));
    let path = "receivers.tcpretrans.channel_capacity";
    let plain = Case::new("print-config", &capacity("${env:SIZE}")).env("SIZE", "77");
    assert_eq!(printed(plain, path), 77);
    Case::new("validate", &capacity("\"${env:SIZE}\"")).env("SIZE", "77").run().refused(&[
        "config.yaml:3:5: receivers.tcpretrans.channel_capacity: found a text; expected a whole number, not negative",
    ]);
}

#[test]
fn values_from_outside_of_files_are_not_cut_by_yaml() {
    let attributes = |case: Case| printed(case, "service.telemetry.resource");
    let config = format!("{MINIMAL}  telemetry:\n    resource:\n      put_in: ${{env:TEXT}}\n");
    for (text, read) in [
        ("abc #def", "abc #def"),
        ("#abc", "#abc"),
        ("&abc def", "&abc def"),
        ("--- abc", "--- abc"),
        ("a\nb", "a\nb"),
        (" abc ", "abc"),
        ("\"1\"", "1"),
        ("'abc' # said", "abc"),
    ] {
        let case = Case::new("print-config", &config)
            .env("TEXT", text)
            .env("OTEL_TCPRETRANS__SERVICE__TELEMETRY__RESOURCE__LAYER.ED", text)
            .set(&format!("service.telemetry.resource.set={text}"));
        let found = attributes(case);
        for name in ["put_in", "layer.ed", "set"] {
            assert_eq!(found[name], read, "{name} of {text:?}");
        }
    }
}

#[test]
fn a_variable_whose_name_or_value_cannot_be_read_is_refused() {
    let case = || Case::new("validate", MINIMAL);
    for name in ["OTEL_TCPRETRANS__", "OTEL_TCPRETRANS__EXPORTERS__", "OTEL_TCPRETRANS__A____B"] {
        case().env(name, "x").run().refused(&[&format!(
            "environment variable {name}: a key is empty; expected OTEL_TCPRETRANS__A__B"
        )]);
    }
    for name in
        ["OTEL_TCPRETRANS__SERVICE__SHUTDOWN_TIMEOUT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"]
    {
        let outcome = case().env(name, OsStr::from_bytes(b"B\xfcro")).run();
        outcome.refused(&[&format!("environment variable {name}: its value is not valid UTF-8")]);
    }
}

#[test]
fn a_file_is_put_in_without_its_last_newline() {
    let case = Case::new("print-config", &with_endpoint("${file:endpoint.txt}"));
    assert_eq!(printed(case.file("endpoint.txt", "http://from-file:1\n"), ENDPOINT), "http://from-file:1");
    let outcome = Case::new("validate", &with_endpoint("${file:nowhere.txt}")).run();
    outcome.refused(&[
        "config.yaml:5:15: exporters.otlp.endpoint: can't read file nowhere.txt: No such file or \
                       directory (os error 2)",
    ]);
}

#[test]
fn two_dollars_are_one() {
    let config = format!("{MINIMAL}  telemetry: {{ resource: {{ price: 5$$, text: '$${{env:X}}' }} }}\n");
    let resource = printed(Case::new("print-config", &config), "service.telemetry.resource");
    assert_eq!(resource["price"], "5$$", "as it is written in a file");
    assert_eq!(resource["text"], "$${env:X}");
}

#[test]
fn later_files_win_key_by_key() {
    let case = Case::new("print-config", &with_endpoint("http://first:1"))
        .file(
            "second.yaml",
            "exporters: { otlp: { timeout: 9s } }\nreceivers: { tcpretrans: { synack: false } }\n",
        )
        .arg("--config")
        .arg("second.yaml");
    let config = printed(case, "exporters.otlp");
    assert_eq!((&config["endpoint"], &config["timeout"]), (&"http://first:1".into(), &"9s".into()));
}

#[test]
fn a_problem_is_shown_where_the_winning_layer_set_the_value() {
    let case = Case::new("validate", MINIMAL)
        .file("second.yaml", "# nothing\nexporters:\n  debug: { verbosity: x }\n")
        .arg("--config")
        .arg("second.yaml");
    case.run().refused(&[
        "second.yaml:3:12: exporters.debug.verbosity: unknown value x; expected one of basic, detailed, normal",
    ]);
}

#[test]
fn the_environment_wins_over_files_and_set_over_both() {
    let case = || {
        Case::new("print-config", &with_endpoint("http://file:1"))
            .env("OTEL_TCPRETRANS__EXPORTERS__OTLP__ENDPOINT", "http://environment:1")
            .env("OTEL_TCPRETRANS__EXPORTERS__OTLP__SENDING_QUEUE__NUM_CONSUMERS", "3")
    };
    assert_eq!(printed(case(), ENDPOINT), "http://environment:1");
    assert_eq!(printed(case(), "exporters.otlp.sending_queue.num_consumers"), 3);
    let set = "exporters.otlp.endpoint=http://set:1";
    assert_eq!(printed(case().set(set), ENDPOINT), "http://set:1");
    let twice = case().set("exporters.otlp.endpoint=http://no:1").set(set);
    assert_eq!(printed(twice, ENDPOINT), "http://set:1");
}

#[test]
fn set_can_name_every_id_and_every_type() {
    let case = Case::new("print-config", MINIMAL)
        .set("processors.filter/no-loopback.exclude=['network.peer.address in 127.0.0.0/8']")
        .set("service.pipelines.logs.processors=[filter/no-loopback]");
    let filter = printed(case, "processors.filter/no-loopback.exclude");
    assert_eq!(filter, serde_yaml::Value::from(vec!["network.peer.address in 127.0.0.0/8"]));
}

#[test]
fn problems_outside_of_files_name_their_source() {
    let outcome = Case::new("validate", MINIMAL)
        .env("OTEL_TCPRETRANS__EXPORTERS__DEBUG__VERBOSITY", "loud")
        .set("receivers.tcpretrans.hok=1")
        .set("nonsense")
        .run();
    outcome.refused(&["--set nonsense: expected key.path=value"]);
    Case::new("validate", MINIMAL)
        .set("a..b=hunter2")
        .run()
        .refused(&["--set a..b: expected key.path=value"]);
    let outcome = Case::new("validate", MINIMAL)
        .env("OTEL_TCPRETRANS__EXPORTERS__DEBUG__VERBOSITY", "loud")
        .set("receivers.tcpretrans.hok=1")
        .run();
    outcome.refused(&[
        "environment variable OTEL_TCPRETRANS__EXPORTERS__DEBUG__VERBOSITY: exporters.debug.verbosity: unknown value \
         loud; expected one of basic, detailed, normal",
        "--set receivers.tcpretrans.hok: receivers.tcpretrans.hok: unknown key; expected one of channel_capacity, \
         hook, perf, ringbuf, scope, synack, transport, wakeup; did you mean hook?",
    ]);
}
