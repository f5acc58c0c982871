//! What the chart renders.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use crate::assert_valid;
use crate::harness::repository;
use crate::tools::{
    VERSIONS, chart, check_schema, helm, least_values, objects, objects_of, only, run_helm, template, text,
    value_sets,
};

/// Kinds that are not Kubernetes' own, and so in no schema.
const FOREIGN: [&str; 3] = ["PodMonitor", "ServiceMonitor", "SecurityContextConstraints"];

#[test]
fn lint_finds_nothing() {
    for values in value_sets() {
        let output = run_helm(&["lint", "--strict", ".", "--values", text(&values)]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}", values.display());
        assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{}: {said}", values.display());
    }
}

#[test]
fn each_set_of_values_is_right_for_old_and_new_versions_of_kubernetes() {
    for version in VERSIONS {
        let folder = tempfile::tempdir().expect("a folder");
        let mut expected = 0;
        let files: Vec<_> = value_sets()
            .iter()
            .map(|values| {
                let rendered = template(version, &["--values", text(values)]).expect("rendering");
                expected += objects(&rendered).len();
                let file = folder.path().join(values.file_name().expect("a name"));
                fs::write(&file, rendered).expect("writing a file");
                file
            })
            .collect();
        let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
        let lines = check_schema(version, &files).unwrap_or_else(|why| panic!("{version}: {why}"));
        assert_eq!(lines.len(), expected, "{lines:#?}");
        for line in lines {
            let is_foreign = FOREIGN.iter().any(|kind| line.contains(&format!("schema for kind {kind} ")));
            assert!(line.contains(" passed for resource ") || is_foreign, "{line}");
        }
    }
}

/// The check above can fail.
#[test]
fn an_unknown_field_is_found() {
    let rendered = template(VERSIONS[1], &["--values", text(&least_values())]).expect("rendering");
    let broken = rendered.replace("hostPath:", "hostPaths:");
    assert_ne!(rendered, broken);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("broken.yaml");
    fs::write(&file, broken).expect("writing a file");
    let why = check_schema(VERSIONS[1], &[&file]).expect_err("a broken file");
    assert!(why.contains("hostPaths"), "{why}");
}

#[test]
fn each_rendered_configuration_is_valid() {
    for values in value_sets() {
        let objects = objects_of(VERSIONS[1], &values);
        let configurations = objects.iter().filter(|object| object["kind"] == "ConfigMap");
        for configuration in configurations {
            assert_valid(configuration["data"]["config.yaml"].as_str().expect("text"));
        }
    }
}

#[test]
fn the_default_configuration_is_the_example_for_kubernetes() {
    let read = |path: &str| -> Value {
        let text = fs::read_to_string(repository().join(path)).expect(path);
        serde_yaml::from_str(&text).expect("YAML")
    };
    let mut example = read("config/kubernetes.yaml");
    // Helm takes a null for a key that is to be removed.
    for (section, id) in [("receivers", "tcpretrans"), ("extensions", "zpages")] {
        example[section][id] = Value::Mapping(serde_yaml::Mapping::new());
    }
    assert_eq!(read("deploy/kubernetes/chart/values.yaml")["config"]["content"], example);
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders() {
    let render = repository().join("deploy/kubernetes/render.sh");
    let output = Command::new(render).arg(helm()).output().expect("render.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rendered = String::from_utf8(output.stdout).expect("UTF-8");
    let kept = fs::read_to_string(repository().join("deploy/kubernetes/manifests/otel-tcpretrans.yaml"));
    assert!(kept.expect("the manifests") == rendered, "run `make manifests`");
    let objects = objects(&rendered);
    assert_eq!(objects[0]["kind"], "Namespace", "kubectl applies them in this order");
    assert!(!rendered.contains("Helm") || rendered.matches("Helm").count() == 1, "Helm does not manage them");
}

#[test]
fn the_container_gets_two_capabilities_and_nothing_else() {
    let objects = objects_of(VERSIONS[1], &least_values());
    let pod = &only(&objects, "DaemonSet")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let expected = "
runAsUser: 0
runAsGroup: 0
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
seccompProfile: { type: RuntimeDefault }
capabilities: { drop: [ALL], add: [BPF, PERFMON] }";
    assert_eq!(container["securityContext"], yaml(expected));
    for shared in ["hostNetwork", "hostPID", "hostIPC"] {
        assert_eq!(pod.get(shared), None);
    }
    let mounts = container["volumeMounts"].as_sequence().expect("mounts");
    assert!(mounts.iter().all(|mount| mount["readOnly"] == true), "{mounts:?}");
    let host: Vec<_> = pod["volumes"]
        .as_sequence()
        .expect("volumes")
        .iter()
        .filter_map(|volume| volume.get("hostPath"))
        .collect();
    assert_eq!(host, [&yaml("{ path: /sys/fs/cgroup, type: Directory }")]);
    let drain = 30; // service.shutdown_timeout's default
    assert!(pod["terminationGracePeriodSeconds"].as_u64() > Some(drain));
}

/// The role has what crates/kubernetes/src/lib.rs watches.
#[test]
fn the_roles_are_for_exactly_what_the_configuration_watches() {
    let all = "[{ apiGroups: [''], resources: [pods, nodes, services], verbs: [list, watch] }]";
    let pods = "[{ apiGroups: [''], resources: [pods], verbs: [list, watch] }]";
    let with_jobs = "[{ apiGroups: [''], resources: [pods], verbs: [list, watch] }, { apiGroups: [batch], resources: [jobs], verbs: [list, watch] }]";
    let nodes = "[{ apiGroups: [''], resources: [nodes], verbs: [list, watch] }]";
    let in_shop = "[{ apiGroups: [''], resources: [pods, services], verbs: [list, watch] }]";
    let names = "config.content.processors.k8s_attributes";
    let own_map = "config.create=false,config.name=mine";
    for (set, cluster, shop) in [
        (format!("{names}.peers=all"), Some(all), None),
        (format!("{names}.peers=pods"), Some(pods), None),
        (format!("{names}.extract.metadata={{k8s.cronjob.name}},{names}.peers=pods"), Some(with_jobs), None),
        (format!("{names}.filter.namespace=shop"), Some(nodes), Some(in_shop)),
        (format!("{names}.auth_type=none"), None, None),
        (format!("{names}=null"), None, None),
        (own_map.to_owned(), Some(all), None),
        (format!("{own_map},rbac.resources={{pods,jobs}}"), Some(with_jobs), None),
        ("rbac.create=false".to_owned(), None, None),
    ] {
        let rendered = template(VERSIONS[1], &["--values", text(&least_values()), "--set", &set]);
        let objects = objects(&rendered.expect("rendering"));
        let rules = |kind: &str, namespace: Option<&str>| {
            let mut roles = objects.iter().filter(|object| object["kind"] == kind);
            let role = roles.next();
            assert!(roles.next().is_none(), "{set}: more than one {kind}");
            role.map(|role| {
                assert_eq!(role["metadata"].get("namespace").and_then(Value::as_str), namespace, "{set}");
                let binding = only(&objects, &format!("{kind}Binding"));
                assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"], "{set}");
                assert_eq!(
                    binding["subjects"][0]["name"],
                    only(&objects, "ServiceAccount")["metadata"]["name"]
                );
                role["rules"].clone()
            })
        };
        assert_eq!(rules("ClusterRole", None), cluster.map(yaml), "{set}");
        assert_eq!(rules("Role", Some("shop")), shop.map(yaml), "{set}");
        let pod = &only(&objects, "DaemonSet")["spec"]["template"]["spec"];
        let asks = cluster.is_some() || shop.is_some() || set.starts_with("rbac");
        assert_eq!(pod["automountServiceAccountToken"], asks, "{set}");
    }
}

/// What the documentation says that the service account needs, with the names of CronJobs.
#[test]
fn the_role_in_the_documentation_is_that_of_the_chart() {
    let page = "docs/k8s-attributes.md";
    let shown = fs::read_to_string(repository().join(page)).expect(page);
    let shown = shown.split("```yaml kubernetes\nrules:\n").nth(1).and_then(|rest| rest.split("```").next());
    let set = "config.content.processors.k8s_attributes.extract.metadata={k8s.cronjob.name}";
    let rendered = template(VERSIONS[1], &["--values", text(&least_values()), "--set", set]);
    let objects = objects(&rendered.expect("rendering"));
    assert_eq!(only(&objects, "ClusterRole")["rules"], yaml(shown.expect("the role")));
}

#[test]
fn a_changed_configuration_makes_new_pods() {
    let checksum = |more: &[&str]| {
        let rendered = template(VERSIONS[1], &[&["--values", text(&least_values())], more].concat());
        let objects = objects(&rendered.expect("rendering"));
        let annotations = &only(&objects, "DaemonSet")["spec"]["template"]["metadata"]["annotations"];
        annotations["checksum/config"].as_str().expect("a checksum").to_owned()
    };
    assert_eq!(checksum(&[]), checksum(&["--set", "priorityClassName=x"]));
    assert_ne!(checksum(&[]), checksum(&["--set", "config.content.processors.batch.timeout=2s"]));
}

#[test]
fn an_apparmor_profile_is_an_annotation_before_1_30_and_a_field_since() {
    let rendered = |version: &str| {
        let set = "securityContext.appArmorProfile.type=Unconfined";
        let rendered = template(version, &["--values", text(&least_values()), "--set", set]);
        only(&objects(&rendered.expect("rendering")), "DaemonSet")["spec"]["template"].clone()
    };
    let field = |pod: &Value| pod["spec"]["containers"][0]["securityContext"].get("appArmorProfile").cloned();
    let key = "container.apparmor.security.beta.kubernetes.io/otel-tcpretrans";
    let annotation = |pod: &Value| pod["metadata"]["annotations"].get(key).cloned();
    let (old, new) = (rendered("1.29"), rendered("1.30"));
    assert_eq!((field(&old), annotation(&old)), (None, Some(yaml("unconfined"))));
    assert_eq!((field(&new), annotation(&new)), (Some(yaml("{ type: Unconfined }")), None));
}

#[test]
fn the_version_is_that_of_the_program() {
    let text = fs::read_to_string(chart().join("Chart.yaml")).expect("Chart.yaml");
    let chart: Value = serde_yaml::from_str(&text).expect("YAML");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((&chart["version"], &chart["appVersion"]), (&version.into(), &version.into()));
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}
