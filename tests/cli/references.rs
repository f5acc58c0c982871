//! Problems of the configuration as a whole.

use crate::harness::Case;
use crate::harness::{MINIMAL, validate};

#[test]
fn a_pipeline_that_names_an_unknown_component_is_refused() {
    validate(&MINIMAL.replace("[debug]", "[debgu]")).refused_for(
        "config.yaml:7:50: service.pipelines.logs.exporters[0]: there is no debgu in exporters; expected debug; did \
         you mean debug?",
    );
}

#[test]
fn an_unused_component_is_a_warning() {
    let outcome = validate(&MINIMAL.replace("debug:", "debug:\n  debug/spare:"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let warning = "warning: config.yaml:5:3: exporters.debug/spare: no pipeline uses it, so it will not run";
    assert_eq!(outcome.stderr.lines().next(), Some(warning));
}

#[test]
fn pipelines_need_receivers_and_exporters() {
    validate(&MINIMAL.replace("receivers: [tcpretrans], exporters: [debug]", "")).refused(&[
        "config.yaml:7:5: service.pipelines.logs: has no exporters; expected at least one",
        "config.yaml:7:5: service.pipelines.logs: has no receivers; expected at least one",
    ]);
}

#[test]
fn all_problems_of_a_pipeline_come_out_at_once() {
    let config = MINIMAL.replace("logs: { receivers: [tcpretrans]", "log: { receivers: []");
    validate(&config.replace("exporters: [debug]", "processors: [batch], exporters: [debug, debug]")).refused(&[
        "config.yaml:7:5: service.pipelines.log: has no receivers; expected at least one",
        "config.yaml:7:5: service.pipelines.log: unknown signal log; expected one of logs, metrics; did you mean \
         logs?",
        "config.yaml:7:40: service.pipelines.log.processors[0]: there is no batch: no processors are configured",
        "config.yaml:7:67: service.pipelines.log.exporters[1]: debug is named twice in this list",
    ]);
}

#[test]
fn without_pipelines_there_is_nothing_to_run() {
    let message = "there is no pipeline, so nothing to run; add logs or metrics";
    validate("service:\n").refused(&[&format!("config.yaml:1:1: service.pipelines: {message}")]);
    validate("").refused(&[&format!("config.yaml:1:1: service.pipelines: {message}")]);
}

#[test]
fn only_logs_and_metrics_are_built() {
    validate(&MINIMAL.replace("logs:", "traces:")).refused(&[
        "config.yaml:7:5: service.pipelines.traces: there are no traces here: only logs and metrics pipelines are built",
    ]);
    validate(&MINIMAL.replace("logs:", "log/a:")).refused(&[
        "config.yaml:7:5: service.pipelines.log/a: unknown signal log; expected one of logs, metrics; did \
                    you mean logs?",
    ]);
    validate(&MINIMAL.replace("logs:", "logs/by-peer:")).succeeded();
}

#[test]
fn references_to_extensions_are_checked() {
    let config =
        format!("{MINIMAL}  extensions: [file_storag]\nextensions:\n  file_storage:\n  bearertokenauth:\n");
    validate(&config).refused(&[
        "config.yaml:8:16: service.extensions[0]: file_storag is not declared under extensions; expected one of \
         bearertokenauth, file_storage; did you mean file_storage?",
        "config.yaml:11:3: extensions.bearertokenauth: bearertokenauth is not built yet; there is file_storage, health_check, \
         zpages",
    ]);
    let no_storage = MINIMAL
        .replace("  debug:", "  otlp: { sending_queue: { storage: health_check } }")
        .replace("[debug]", "[otlp]")
        + "  extensions: [health_check]\nextensions:\n  health_check:\n";
    validate(&no_storage).refused_for(
        "config.yaml:4:28: exporters.otlp.sending_queue.storage: health_check is no file_storage, so it keeps no queue",
    );
    let unused = format!("{MINIMAL}extensions:\n  file_storage:\n");
    let outcome = validate(&unused);
    assert_eq!(outcome.code, Some(0));
    let warning = "service.extensions does not name it, so it will not run";
    assert!(outcome.stderr.contains(&format!("extensions.file_storage: {warning}")), "{outcome:?}");
}

/// The configuration of an exporter whose queue is on disk.
fn stored(storage: &str, extensions: &str) -> String {
    let queue = format!("otlp:\n    sending_queue: {{ {storage} }}");
    format!("{}  extensions: {extensions}\nextensions:\n  file_storage:\n", MINIMAL.replace("debug:", &queue))
        .replace("[debug]", "[otlp]")
}

#[test]
fn a_storage_must_be_an_extension_that_runs() {
    validate(&stored("storage: file_storage", "[file_storage]")).succeeded();
    validate(&stored("storage: file_storage", "[]")).refused_for(
        "config.yaml:5:22: exporters.otlp.sending_queue.storage: service.extensions does not name file_storage, so it \
         does not run; add it there",
    );
    validate(&stored("storage: disk", "[file_storage]")).refused(&[
        "config.yaml:5:22: exporters.otlp.sending_queue.storage: disk is not declared under extensions; expected \
         file_storage",
    ]);
    validate(&stored("storage: file_storage, enabled: false", "[file_storage]")).refused(&[
        "config.yaml:5:22: exporters.otlp.sending_queue.storage: there is no queue to store; remove it, or `enabled: false`",
    ]);
}

#[test]
fn with_storage_the_defaults_of_a_queue_are_others() {
    let queue = |config: &str, key: &str| {
        let outcome = Case::new("print-config", config).run();
        outcome.succeeded();
        let root: serde_yaml::Value = serde_yaml::from_str(&outcome.stdout).expect("YAML");
        root["exporters"]["otlp"]["sending_queue"][key].as_str().map(str::to_owned)
    };
    let stored = stored("storage: file_storage", "[file_storage]");
    assert_eq!(queue(&stored, "on_full").as_deref(), Some("drop_oldest"));
    assert_eq!(queue(&stored, "queue_size"), None, "the extension's max_size bounds it");
    let in_memory = stored.replace("{ storage: file_storage }", "{}");
    assert_eq!(queue(&in_memory, "on_full").as_deref(), Some("drop_newest"));
    assert_eq!(queue(&in_memory, "queue_size").as_deref(), Some("64MiB"));
}

#[test]
fn a_second_tcpretrans_is_refused() {
    let config = MINIMAL.replace("  tcpretrans:", "  tcpretrans:\n  tcpretrans/netns: { scope: netns }");
    validate(&config)
        .refused(&["config.yaml:3:3: receivers.tcpretrans/netns: a second tcpretrans receiver would \
         count again what tcpretrans counts; name tcpretrans in as many pipelines as needed"]);
}

#[test]
fn processors_in_the_wrong_order_are_refused() {
    let config = "\
receivers: { tcpretrans: }
processors: { batch: , aggregate: , filter: { exclude: ['network.type == ipv6'] } }
exporters: { debug: }
service:
  pipelines:
    metrics: { receivers: [tcpretrans], processors: [aggregate, filter, batch], exporters: [debug] }
    logs: { receivers: [tcpretrans], processors: [aggregate], exporters: [debug] }
";
    let outcome = validate(config);
    assert_eq!(outcome.code, Some(78), "{outcome:?}");
    for start in [
        "config.yaml:6:65: service.pipelines.metrics.processors[1]: `filter` works on records and must come",
        "config.yaml:7:51: service.pipelines.logs.processors[0]: `aggregate`",
    ] {
        assert!(
            outcome.stderr.lines().any(|line| line.starts_with(start)),
            "no {start} in {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_component_named_twice_in_a_list_is_refused() {
    validate(&MINIMAL.replace("[debug]", "[debug, debug]")).refused(&[
        "config.yaml:7:57: service.pipelines.logs.exporters[1]: debug is named twice in this list",
    ]);
}

/// Its series have no pipeline in their labels.
#[test]
fn a_scraped_exporter_is_of_one_metrics_pipeline() {
    let config = "\
receivers: { replay: { file: x } }
exporters: { prometheus: { endpoint: '127.0.0.1:9464' } }
service:
  pipelines:
    logs: { receivers: [replay], exporters: [prometheus] }
    metrics: { receivers: [replay], exporters: [prometheus] }
    metrics/2: { receivers: [replay], exporters: [prometheus] }
";
    validate(config).refused(&[
        "config.yaml:5:46: service.pipelines.logs.exporters[0]: prometheus takes metrics only; name it in a metrics \
         pipeline",
        "config.yaml:7:51: service.pipelines.metrics/2.exporters[0]: prometheus is in metrics, too, and their series \
         would have the same names; give each pipeline an exporter of its own",
    ]);
}

/// A configuration with processors that name networks, and ask for them.
fn named(logs: &str, metrics: &str) -> String {
    format!(
        "\
receivers: {{ replay: {{ file: x }} }}
processors:
  networks: {{ networks: [{{ cidr: 10.0.0.0/8, attributes: {{ zone: a }} }}] }}
  filter: {{ exclude: [network.peer.zone == b] }}
  aggregate: {{ attributes: [network.local.zone, network.peer.zone] }}
exporters: {{ debug: }}
service:
  pipelines:
    logs: {{ receivers: [replay], processors: [{logs}], exporters: [debug] }}
    metrics: {{ receivers: [replay], processors: [{metrics}], exporters: [debug] }}
"
    )
}

#[test]
fn what_a_processor_finds_can_be_asked_for_behind_it() {
    validate(&named("networks, filter", "networks, filter, aggregate")).succeeded();
    validate(&named("filter, networks", "networks, aggregate")).refused(&[
        "config.yaml:9:47: service.pipelines.logs.processors[0]: filter asks for network.peer.zone, which networks \
         finds; name networks before it",
    ]);
    let config = named("networks, filter", "networks, aggregate");
    validate(&config.replace("network.peer.zone == b", "network.peer.zon == b")).refused(&[
        "config.yaml:4:23: processors.filter.exclude[0]: condition `network.peer.zon == b`: unknown attribute \
         `network.peer.zon`; did you mean `network.peer.zone`?",
    ]);
    validate(&config.replace("[network.local.zone,", "[network.peer.adress,")).refused(&[
        "config.yaml:5:29: processors.aggregate.attributes[0]: unknown attribute `network.peer.adress`; did you mean \
         `network.peer.address`?",
    ]);
}
