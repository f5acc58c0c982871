//! The configuration: its words, its names and its problems.

use super::*;

fn problems(yaml: &str) -> Vec<(String, String)> {
    config(yaml).validate().into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn the_words_of_the_collector_are_taken() {
    let yaml = "
auth_type: kubeConfig
kube_config_path: /etc/kube
context: prod
filter:
  node_from_env_var: NODE
  namespace: shop
  labels: [{ key: app, value: web, op: not-equals }]
  fields: [{ key: status.phase, value: Running }]
extract:
  metadata: [k8s.pod.name, k8s.cronjob.name]
  labels: [{ key: app, from: pod }]
  annotations: [{ tag_name: team, key: example.org/team }]
wait_for_metadata: true
wait_for_metadata_timeout: 5s
exclude: { pods: [{ name: jaeger-agent }] }
";
    assert_eq!(problems(yaml), []);
    let config = config(yaml);
    assert!(config.wants_cron_jobs());
    assert_eq!(config.node(&|name| (name == "NODE").then(|| "n7".to_owned())).as_deref(), Some("n7"));
    assert_eq!(
        config.finds(),
        [
            "k8s.cronjob.name",
            "k8s.peer.cronjob.name",
            "k8s.peer.pod.label.app",
            "k8s.peer.pod.name",
            "k8s.peer.team",
            "k8s.pod.label.app",
            "k8s.pod.name",
            "team",
        ]
    );
    assert_eq!(problems("{}"), []);
}

#[test]
fn the_names_of_the_peer_side_can_be_set_or_left_out() {
    let dst = config("{ peer_prefix: k8s.dst., extract: { metadata: [k8s.pod.name, k8s.container.name] } }");
    assert_eq!(dst.finds(), ["k8s.container.name", "k8s.dst.pod.name", "k8s.pod.name"]);
    let off = config("{ peers: off, extract: { metadata: [k8s.pod.name, k8s.service.name] } }");
    assert_eq!(off.finds(), ["k8s.pod.name"]);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_name() {
    let wrong = problems(
        "{ passthrough: false, pod_association: [], context: prod, peer_prefix: k8s., linger: 0, delay: 2m,
           filter: { node: a, node_from_env_var: B, fields: [{ key: x, op: exists }] },
           extract: { otel_annotations: true, deployment_name_from_replicaset: true,
                      labels: [{ key_regex: .* }, { key: a, from: namespace }, { tag_name: x }],
                      annotations: [{ key: a, tag_name: network.peer.address }] },
           exclude: { pods: [{ name: '(' }] } }",
    );
    let paths: Vec<_> = wrong.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "passthrough",
            "pod_association",
            "extract.otel_annotations",
            "extract.deployment_name_from_replicaset",
            "context",
            "filter.node_from_env_var",
            "filter.fields.0.op",
            "peer_prefix",
            "linger",
            "delay",
            "exclude.pods.0.name",
            "extract.labels.0.key_regex",
            "extract.labels.1.from",
            "extract.labels.2",
            "extract.annotations.0",
        ],
        "{wrong:#?}"
    );
    assert!(wrong.iter().all(|(_, message)| message.len() > 20), "{wrong:#?}");
}
