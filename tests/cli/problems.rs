//! Problems within a file: their position, what was expected, and what was probably meant.

use crate::harness::{Case, MINIMAL, printed, validate};

#[test]
fn a_missing_file_is_named() {
    let outcome = Case::bare(&["validate", "--config", "nowhere.yaml"]).run();
    outcome.refused(&["nowhere.yaml: can't read this file: No such file or directory (os error 2)"]);
}

#[test]
fn a_tab_is_reported_at_its_position() {
    validate("receivers:\n\ttcpretrans:\n")
        .refused(&["config.yaml:2:1: a tab can't indent YAML; use spaces"]);
}

#[test]
fn broken_yaml_has_a_position() {
    let outcome = validate("receivers: [tcpretrans\nexporters:\n");
    assert_eq!(outcome.code, Some(78));
    assert!(outcome.stderr.starts_with("config.yaml:"), "{}", outcome.stderr);
}

#[test]
fn a_reference_between_braces_is_to_be_quoted() {
    validate("exporters: { otlp: { endpoint: ${env:PLACE} } }\n")
        .refused(&["config.yaml:1:32: ${…} between braces or brackets must stand in quotes"]);
}

#[test]
fn an_unknown_key_has_a_position_and_a_suggestion() {
    let config = MINIMAL.replace("  debug:", "  debug:\n    verbositi: basic");
    validate(&config).refused(&[
        "config.yaml:5:5: exporters.debug.verbositi: unknown key; expected verbosity; did you mean verbosity?",
    ]);
}

#[test]
fn unknown_keys_are_found_at_every_level() {
    let config = format!("{MINIMAL}  telemetri: {{}}\nexporter: {{}}\n");
    validate(&config).refused(&[
        "config.yaml:8:3: service.telemetri: unknown key; expected one of extensions, pipelines, sandbox, shutdown_timeout, \
         telemetry; did you mean telemetry?",
        "config.yaml:9:1: exporter: unknown key; expected one of exporters, extensions, processors, receivers, \
         service; did you mean exporters?",
    ]);
}

#[test]
fn all_problems_come_out_in_one_run_in_the_order_of_the_text() {
    let config = "\
receivers:
  tcpretrans:
    hok: auto
    scope: planet
    wakeup: { events: many }
exporters:
  debug: { verbosity: loud }
service:
  shutdown_timeout: soon
  pipelines:
    logs: { receivers: [tcpretran], exporters: [debug] }
";
    validate(config).refused(&[
        "config.yaml:3:5: receivers.tcpretrans.hok: unknown key; expected one of channel_capacity, hook, perf, \
         ringbuf, scope, synack, transport, wakeup; did you mean hook?",
        "config.yaml:4:5: receivers.tcpretrans.scope: unknown value planet; expected one of cgroup, host, netns",
        "config.yaml:5:15: receivers.tcpretrans.wakeup.events: found a text; expected a whole number, not negative",
        "config.yaml:7:12: exporters.debug.verbosity: unknown value loud; expected one of basic, detailed, normal",
        "config.yaml:9:3: service.shutdown_timeout: string \"soon\" does not fit; expected a duration, such as \
         200ms, 5s or 1m",
        "config.yaml:11:25: service.pipelines.logs.receivers[0]: there is no tcpretran in receivers; expected \
         tcpretrans; did you mean tcpretrans?",
    ]);
}

#[test]
fn a_wrong_type_is_named_without_the_value() {
    let config = MINIMAL.replace("debug:", "otlp: { headers: hunter2 }").replace("[debug]", "[otlp]");
    let outcome = validate(&config);
    outcome.refused(&["config.yaml:4:11: exporters.otlp.headers: found a text; expected a mapping"]);
    let key = "exporters.otlp.headers.pin";
    let outcome =
        Case::new("validate", &config.replace("{ headers: hunter2 }", "")).set(&format!("{key}=42")).run();
    outcome
        .refused(&[&format!("--set {key}: {key}: found a whole number; expected a text; put it in quotes")]);
}

#[test]
fn a_value_that_must_be_a_mapping_is_reported_once() {
    validate(&MINIMAL.replace("debug:", "debug: loud"))
        .refused(&["config.yaml:4:3: exporters.debug: expected a mapping"]);
    validate(&MINIMAL.replace("tcpretrans:\n", "tcpretrans: { wakeup: [64, 1s], perf: [] }\n")).refused(&[
        "config.yaml:2:17: receivers.tcpretrans.wakeup: found a list; expected a mapping",
        "config.yaml:2:35: receivers.tcpretrans.perf: found a list; expected a mapping",
    ]);
    validate(
        &MINIMAL.replace("{ receivers: [tcpretrans], exporters: [debug] }", "[[tcpretrans], [], [debug]]"),
    )
    .refused(&["config.yaml:7:5: service.pipelines.logs: found a list; expected a mapping"]);
    validate("service: 3\n").refused(&["config.yaml:1:1: service: expected a mapping"]);
    validate("[1]\n").refused(&["config.yaml:1:1: expected a mapping with receivers, exporters and service"]);
}

#[test]
fn a_number_in_place_of_a_text_is_to_be_quoted() {
    let config = MINIMAL.replace("debug:", "otlp: { headers: { tenant: 7 } }").replace("[debug]", "[otlp]");
    validate(&config).refused(&[
        "config.yaml:4:22: exporters.otlp.headers.tenant: found a whole number; expected a text; put it in quotes",
    ]);
}

#[test]
fn items_of_a_list_keep_their_index() {
    let config = MINIMAL
        .replace("exporters:\n", "processors:\n  filter:\n    exclude: [x, tcp.seq == 1, y]\nexporters:\n");
    let config = config.replace("exporters: [debug]", "processors: [filter], exporters: [debug]");
    let outcome = validate(&config);
    assert_eq!(outcome.code, Some(78), "{outcome:?}");
    for (index, column) in [(0, 15), (2, 32)] {
        let start = format!("config.yaml:5:{column}: processors.filter.exclude[{index}]: ");
        assert!(outcome.stderr.contains(&start), "no {start} in {}", outcome.stderr);
    }
}

#[test]
fn every_duplicate_key_is_found() {
    let config = format!("{MINIMAL}\"exporters\":\n  otlp:\nreceivers:\n");
    validate(&config).refused(&[
        "config.yaml:8:1: exporters: duplicate key; the other one is on line 3",
        "config.yaml:10:1: receivers: duplicate key; the other one is on line 1",
    ]);
}

#[test]
fn values_that_types_cannot_exclude_are_checked_too() {
    let config = MINIMAL.replace("  tcpretrans:", "  tcpretrans: { perf: { pages_per_cpu: 3 }, hok: 1 }");
    let outcome = validate(&config);
    assert_eq!(outcome.code, Some(78));
    assert!(
        outcome.stderr.contains("config.yaml:2:25: receivers.tcpretrans.perf.pages_per_cpu: "),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.contains("config.yaml:2:45: receivers.tcpretrans.hok: unknown key"),
        "{outcome:?}"
    );
}

#[test]
fn a_level_that_the_compression_does_not_have_is_refused() {
    let config = MINIMAL
        .replace("debug:", "otlp:\n    compression_params: { level: 12 }")
        .replace("[debug]", "[otlp]");
    validate(&config).refused(&[
        "config.yaml:5:27: exporters.otlp.compression_params.level: expected a level of gzip from 1 to 9, found 12",
    ]);
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    let config = MINIMAL.replace("debug:", "otlp:\n    endpoint: not a url").replace("[debug]", "[otlp]");
    validate(&config).refused(&["config.yaml:5:5: exporters.otlp.endpoint: expected http://HOST:PORT or \
         https://HOST:PORT, found \"not a url\""]);
}

#[test]
fn a_variable_of_the_specification_that_is_no_url_is_refused() {
    let config = MINIMAL.replace("debug:", "otlp:").replace("[debug]", "[otlp]");
    let outcome = Case::new("validate", &config).env("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "not a url").run();
    assert_eq!(outcome.code, Some(78), "{outcome:?}");
    assert!(outcome.stderr.contains("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"), "{outcome:?}");
}

#[test]
fn unknown_component_types_list_what_there_is() {
    let config = MINIMAL.replace("debug:", "debug:\n  otpl/x:");
    let outcome = validate(&config);
    outcome.refused(&[
        "config.yaml:5:3: exporters.otpl/x: unknown type otpl; expected one of debug, file, otlp, otlp_http, prometheus; did you \
                       mean otlp?",
    ]);
}

#[test]
fn null_means_defaults() {
    validate(&MINIMAL.replace("tcpretrans:", "tcpretrans: { perf: , hook: ~ }")).succeeded();
    validate(&format!("{MINIMAL}processors:\n")).succeeded();
    validate(&MINIMAL.replace("tcpretrans:", "tcpretrans: { pref: }")).refused_for(
        "config.yaml:2:17: receivers.tcpretrans.pref: unknown key; expected one of channel_capacity, hook, perf, \
         ringbuf, scope, synack, transport, wakeup; did you mean perf?",
    );
}

#[test]
fn a_replay_needs_a_file() {
    let replay = |config: &str| {
        let named = MINIMAL.replace("tcpretrans:", &format!("replay:{config}"));
        validate(&named.replace("[tcpretrans]", "[replay]"))
    };
    replay(" { file: nowhere, speed: realtime, loop: true }").succeeded();
    let missing = "receivers.replay.file: missing; expected the path of a recording";
    replay("").refused_for(&format!("config.yaml:2:3: {missing}"));
    replay(" { file: '' }").refused_for(&format!("config.yaml:2:13: {missing}"));
    let outcome = replay(" { file: x, speed: slow }");
    assert_eq!(outcome.code, Some(78));
    assert!(outcome.stderr.contains("realtime") && outcome.stderr.contains("max"), "{outcome:?}");
}

#[test]
fn a_bare_zero_is_a_duration_and_another_number_needs_a_unit() {
    let config = |time: &str| {
        let otlp = format!("otlp:\n    retry_on_failure: {{ max_elapsed_time: {time} }}");
        MINIMAL.replace("debug:", &otlp).replace("[debug]", "[otlp]")
    };
    validate(&config("0")).succeeded();
    validate(&config("300")).refused(&[
        "config.yaml:5:25: exporters.otlp.retry_on_failure.max_elapsed_time: found a whole number; expected a \
         duration, such as 200ms, 5s or 1m",
    ]);
    let path = "exporters.otlp.retry_on_failure.max_elapsed_time";
    assert_eq!(printed(Case::new("print-config", &config("0")), path), "0s");
}

#[test]
fn what_is_no_size_is_refused_with_an_example() {
    let path = "receivers.tcpretrans.ringbuf.size";
    let expected = "expected a size, such as 64MiB or 512KiB";
    for (size, found) in [
        ("lots", "string \"lots\" does not fit"),
        ("-1", "signed int `-1` does not fit"),
        ("1.5", "found a number"),
        ("[1]", "found a list"),
    ] {
        let config =
            MINIMAL.replace("tcpretrans:\n", &format!("tcpretrans: {{ ringbuf: {{ size: {size} }} }}\n"));
        validate(&config).refused(&[&format!("config.yaml:2:28: {path}: {found}; {expected}")]);
    }
}

#[test]
fn what_a_clock_or_a_channel_cannot_hold_is_refused() {
    let config = "\
receivers: { tcpretrans: }
processors: { aggregate: }
exporters: { otlp: { endpoint: 'http://localhost:1' } }
service:
  telemetry: { metrics: { otlp: { endpoint: 'http://localhost:1' } } }
  pipelines: { metrics: { receivers: [tcpretrans], processors: [aggregate], exporters: [otlp] } }
";
    let age = "500000000000y";
    let endless = u64::MAX.to_string();
    for (key, value) in [
        ("service.shutdown_timeout", age),
        ("service.telemetry.metrics.otlp.interval", age),
        ("service.telemetry.metrics.otlp.timeout", age),
        ("processors.aggregate", "{ interval: 500000000000y, max_idle: 500000000000y }"),
        ("processors.aggregate.interval", "1ns"),
        ("exporters.otlp.timeout", age),
        ("exporters.otlp.retry_on_failure", "{ initial_interval: 500000000000y, max_elapsed_time: 0 }"),
        ("exporters.otlp.retry_on_failure.max_interval", age),
        ("exporters.otlp.sending_queue.num_consumers", &endless),
        ("receivers.tcpretrans.channel_capacity", &endless),
    ] {
        let outcome = Case::new("validate", config).set(&format!("{key}={value}")).run();
        assert_eq!(outcome.code, Some(78), "{key}: {outcome:?}");
        assert!(outcome.stderr.starts_with(&format!("--set {key}: {key}")), "{outcome:?}");
        assert!(outcome.stderr.ends_with("\n1 problem in the configuration\n"), "{outcome:?}");
    }
}

#[test]
fn files_that_are_named_are_read_and_what_is_wrong_has_a_position() {
    let config = MINIMAL
        .replace(
            "debug:",
            "otlp:\n    endpoint: https://localhost:1\n    tls: { ca_file: config.yaml, key_file: k, cert_file: c }",
        )
        .replace("[debug]", "[otlp]");
    validate(&config).refused(&[
        "config.yaml:6:12: exporters.otlp.tls.ca_file: config.yaml holds no PEM certificate that can be read",
        "config.yaml:6:34: exporters.otlp.tls.key_file: can't read k: No such file or directory (os error 2)",
        "config.yaml:6:47: exporters.otlp.tls.cert_file: can't read c: No such file or directory (os error 2)",
    ]);
    let unused = "the endpoint has no TLS: use https://, or leave this out";
    validate(&config.replace("https", "http")).refused(&[
        &format!("config.yaml:6:12: exporters.otlp.tls.ca_file: {unused}"),
        &format!("config.yaml:6:34: exporters.otlp.tls.key_file: {unused}"),
        &format!("config.yaml:6:47: exporters.otlp.tls.cert_file: {unused}"),
    ]);
}

#[test]
fn the_processs_own_metrics_are_checked_with_the_environment() {
    let config = format!("{MINIMAL}  telemetry: {{ metrics: {{ otlp: {{}} }} }}\n");
    let variable = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    Case::new("validate", &config).env(variable, "nowhere").run().refused(&[&format!(
        "config.yaml:8:27: service.telemetry.metrics.otlp.endpoint: {variable}: expected http://HOST:PORT or \
         https://HOST:PORT, found \"nowhere\""
    )]);
    let case = Case::new("print-config", &config).env(variable, "http://there:1");
    assert_eq!(printed(case, "service.telemetry.metrics.otlp.endpoint"), "http://there:1");
}

#[test]
fn a_resource_attribute_is_a_scalar() {
    let config =
        format!("{MINIMAL}  telemetry: {{ resource: {{ a: x, b: 1, c: 1.5, d: true, e: null }} }}\n");
    validate(&config).succeeded();
    validate(&config.replace("b: 1", "b: [1]")).refused(&[
        "config.yaml:8:34: service.telemetry.resource.b: expected a text, a number, true or false",
    ]);
}

#[test]
fn a_protocol_for_sdks_counts_only_if_the_endpoint_is_from_the_environment_too() {
    let config = |otlp: &str| MINIMAL.replace("debug:", otlp).replace("[debug]", "[otlp]");
    let case =
        |otlp| Case::new("validate", &config(otlp)).env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    case("otlp: { endpoint: 'http://collector:4317' }").run().succeeded();
    case("otlp:").env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318").run().succeeded();
    let refused = "config.yaml:4:3: exporters.otlp: OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc, http/protobuf or \
                   http/json, found \"thrift\"";
    case("otlp:").env("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift").run().refused(&[refused]);
}

#[test]
fn the_collectors_other_names_of_exporters_are_known() {
    let config = |exporter: &str, more: &str| {
        MINIMAL
            .replace("debug:", &format!("{exporter}:\n{more}"))
            .replace("[debug]", &format!("[{exporter}]"))
    };
    for (exporter, more) in [
        ("otlp_grpc/a", "    endpoint: http://collector:4317"),
        ("otlphttp/b", "    endpoint: http://collector:4318\n    encoding: json"),
        ("otlp_http", "    { logs_endpoint: 'https://a/logs', metrics_endpoint: 'https://a/metrics' }"),
    ] {
        validate(&config(exporter, more)).succeeded();
    }
    validate(&config("otlp_grpc", "    encoding: json")).refused(&[
        "config.yaml:5:5: exporters.otlp_grpc.encoding: this key is for OTLP over HTTP: use the exporter otlp_http",
    ]);
    let unknown = validate(&config("otlphttp", "    encodign: json"));
    let start = "config.yaml:5:5: exporters.otlphttp.encodign: unknown key; expected one of ";
    assert!(
        unknown.stderr.starts_with(start) && unknown.stderr.contains("did you mean encoding?"),
        "{unknown:?}"
    );
}

#[test]
fn the_collectors_readers_are_checked_at_their_place() {
    let with =
        |readers: &str| validate(&format!("{MINIMAL}  telemetry:\n    metrics:\n      readers:\n{readers}"));
    let pull = "        - pull: { exporter: { prometheus: { host: 0.0.0.0, port: 8888 } } }\n";
    let push =
        |otlp: &str| format!("        - periodic: {{ interval: 5000, exporter: {{ otlp: {otlp} }} }}\n");
    with(&format!("{pull}{}", push("{ protocol: grpc, endpoint: 'http://backend:4317' }"))).succeeded();
    with(&format!("{pull}{}{pull}", push("{ endpoint: nonsense }")))
        .refused(&["config.yaml:13:11: service.telemetry.metrics.readers[2]: only one reader may be pull"]);
    with(&format!("{pull}{}", push("{ endpoint: nonsense }"))).refused(&[
        "config.yaml:12:59: service.telemetry.metrics.readers[1].periodic.exporter.otlp.endpoint: expected \
         http://HOST:PORT or https://HOST:PORT, found \"nonsense\"",
    ]);
}
