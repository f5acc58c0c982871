//! `k8s_attributes`: its words, and a start without an API server.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use crate::harness::{Case, MINIMAL, Outcome, repository, validate};

/// A pipeline of these processors, with these settings of `k8s_attributes`.
fn config(id: &str, settings: &str, processors: &str) -> String {
    let processor = format!(
        "processors:\n  cgroup:\n  {id}: {settings}\n  filter: {{ include: [k8s.peer.pod.name == a] }}\n"
    );
    MINIMAL
        .replace("exporters:\n", &format!("{processor}exporters:\n"))
        .replace("exporters: [debug] }", &format!("processors: [{processors}], exporters: [debug] }}"))
}

#[test]
fn the_collectors_name_is_known_and_filters_can_ask_for_what_it_finds() {
    validate(&config("k8sattributes", "{ peers: all }", "cgroup, k8sattributes, filter")).succeeded();
    validate(&config("k8s_attributes", "{ peers: all }", "cgroup, k8s_attributes, filter")).succeeded();
    validate(&config("k8s_attributes", "{ peers: off }", "cgroup, k8s_attributes, filter")).refused_for(
        "config.yaml:6:23: processors.filter.include[0]: condition `k8s.peer.pod.name == a`: unknown attribute \
         `k8s.peer.pod.name`; did you mean `k8s.pod.name`?",
    );
}

#[test]
fn a_processor_that_comes_too_late_is_reported() {
    let late = validate(&config("k8s_attributes", "", "cgroup, filter, k8s_attributes"));
    assert!(
        late.stderr.contains("filter asks for k8s.peer.pod.name, which k8s_attributes finds"),
        "{late:?}"
    );
}

#[test]
fn without_cgroup_before_it_a_warning_says_what_stays_without_a_name() {
    let outcome = validate(&config("k8s_attributes", "", "k8s_attributes, filter, cgroup"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let warning = "service.pipelines.logs.processors[0]: k8s_attributes has no cgroup before it";
    assert!(outcome.stderr.contains(warning), "{outcome:?}");
}

#[test]
fn keys_of_the_collector_that_make_no_sense_are_refused_by_name() {
    let outcome = validate(&config(
        "k8s_attributes",
        "{ passthrough: false, pod_association: [{ sources: [{ from: connection }] }] }",
        "cgroup, k8s_attributes, filter",
    ));
    assert_eq!(outcome.code, Some(78), "{outcome:?}");
    for key in ["passthrough", "pod_association"] {
        let line = format!("processors.k8s_attributes.{key}: the Collector's key for ");
        assert!(outcome.stderr.contains(&line), "{outcome:?}");
    }
    let unknown = validate(&config("k8s_attributes", "{ peerz: all }", "cgroup, k8s_attributes, filter"));
    assert!(unknown.stderr.contains("did you mean peers?"), "{unknown:?}");
}

/// Runs a replay with a kubeconfig that leads to nobody: port 9 of loopback is `discard`, which no test machine serves.
fn run(settings: &str) -> Outcome {
    run_against(9, settings)
}

/// What the same replay prints without the processor.
fn expected() -> String {
    let replay =
        format!("replay: {{ file: '{}' }}", repository().join("tests/replay/retransmits.otr").display());
    let config = MINIMAL.replace("tcpretrans:", &replay).replace("[tcpretrans]", "[replay]")
        + "  telemetry: { metrics: { prometheus: null } }\n";
    let outcome = Case::new("run", &config).run();
    assert!(outcome.stdout.lines().count() > 10, "{outcome:?}");
    outcome.stdout
}

/// Runs a replay with a kubeconfig that leads to a port of loopback.
fn run_against(port: u16, settings: &str) -> Outcome {
    let recording = repository().join("tests/replay/retransmits.otr");
    let config = config("k8s_attributes", settings, "k8s_attributes")
        .replace("  tcpretrans:", &format!("  replay: {{ file: '{}' }}", recording.display()))
        .replace("[tcpretrans]", "[replay]")
        + "  telemetry: { metrics: { prometheus: null } }\n";
    let kubeconfig = format!(
        "{{ apiVersion: v1, kind: Config, current-context: c, users: [],
           clusters: [{{ name: c, cluster: {{ server: 'http://127.0.0.1:{port}' }} }}],
           contexts: [{{ name: c, context: {{ cluster: c, user: u }} }}] }}"
    );
    Case::new("run", &config).file("kubeconfig", &kubeconfig).run()
}

#[test]
fn an_api_server_that_is_away_delays_no_start_and_no_record() {
    let outcome = run("{ auth_type: kubeConfig, kube_config_path: kubeconfig }");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, expected(), "{}", outcome.stderr);
    // Once for each resource, by the processor alone.
    assert_eq!(
        outcome.stderr.matches("the watch has failed; going on with what is known").count(),
        3,
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains("ERROR"), "{outcome:?}");
}

#[test]
fn an_api_server_that_never_answers_delays_no_record_and_no_stop() {
    // It takes connections, and reads nothing of them.
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = server.local_addr().expect("an address").port();
    let start = Instant::now();
    let outcome = run_against(port, "{ auth_type: kubeConfig, kube_config_path: kubeconfig }");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, expected(), "{}", outcome.stderr);
    // One that waited for an answer would take ten times as long.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn a_start_that_waits_in_vain_fails_and_says_for_what() {
    let outcome =
        run("{ auth_type: kubeConfig, kube_config_path: kubeconfig, peers: pods, wait_for_metadata: true, \
         wait_for_metadata_timeout: 2s }");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let error = outcome.stderr.lines().last().expect("an error");
    assert!(
        error.contains("the API has not listed these after 2s: pods (") && error.contains("refused"),
        "{error}"
    );
}

#[test]
fn credentials_that_are_not_there_are_an_error_at_the_start() {
    let file = run("{ auth_type: kubeConfig, kube_config_path: /nonexistent }");
    assert_eq!(file.code, Some(1), "{file:?}");
    assert!(file.stderr.contains("processor `k8s_attributes`: auth_type: kubeConfig: "), "{file:?}");
    let account = run("");
    assert_eq!(account.code, Some(1), "{account:?}");
    assert!(account.stderr.contains("outside a cluster use auth_type: kubeConfig"), "{account:?}");
}
