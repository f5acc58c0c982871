//! Values that the schema or the chart's own checks refuse.

use serde_json::Value;

use crate::tools::{VERSIONS, chart, least_values, template, text};

/// What is set over the least values, and what Helm says of it.
const REFUSED: [(&str, &str); 27] = [
    ("imagee.tag=1", "additional properties 'imagee' not allowed"),
    ("image.tagg=1", "at '/image': additional properties 'tagg' not allowed"),
    ("image.digest=sha256:12", "at '/image/digest'"),
    ("image.pullPolicy=Sometimes", "at '/image/pullPolicy'"),
    ("image.repository=", "image.repository is required: there is no published image yet"),
    ("config.contents.receivers=x", "at '/config': additional properties 'contents' not allowed"),
    ("config.create=false", "config.name: name the existing ConfigMap"),
    ("config.content.processors.k8s_attributes.peers=false", "peers: write \"off\" in quotes"),
    ("config.content.extensions=null", "probes.enabled: config.content needs the extension health_check"),
    (
        "config.content.service.extensions={}",
        "probes.enabled: config.content needs the extension health_check",
    ),
    ("config.content.extensions.health_check.endpoint=127.0.0.1:13133", "which the kubelet does not reach"),
    (
        "config.content.service.shutdown_timeout=40s",
        "must be longer than config.content.service.shutdown_timeout (40s)",
    ),
    (
        "config.content.service.extensions={health_check,file_storage}",
        "set storage.type to emptyDir or hostPath",
    ),
    (
        "podMonitor.enabled=true,config.content.service.telemetry.metrics.prometheus=127.0.0.1:8889",
        "is on loopback",
    ),
    ("ports.health=13134", "ports.health is 13134, but config.content.extensions.health_check.endpoint is"),
    (
        "ports.metrics=9090",
        "ports.metrics is 9090, but config.content.service.telemetry.metrics.prometheus is",
    ),
    ("ports.metrics=70000", "at '/ports/metrics'"),
    ("probes.liveness.path=/x", "at '/probes/liveness': additional properties 'path' not allowed"),
    ("storage.type=disk", "at '/storage/type'"),
    ("storage.hostPath=relative", "at '/storage/hostPath'"),
    (
        "securityContext.privileged=true",
        "at '/securityContext': additional properties 'privileged' not allowed",
    ),
    ("extraCapabilities={CAP_SYS_PTRACE}", "at '/extraCapabilities/0'"),
    ("extraCapabilities={ALL}", "at '/extraCapabilities/0'"),
    ("rbac.resources={secrets}", "at '/rbac/resources/0'"),
    ("resources.limit.memory=1Gi", "at '/resources': additional properties 'limit' not allowed"),
    ("updateStrategy.type=Recreate", "at '/updateStrategy/type'"),
    (
        "openshift.scc.create=true,serviceAccount.create=false",
        "would give the SCC to the service account `default`",
    ),
];

#[test]
fn values_that_are_wrong_or_contradict_each_other_are_refused() {
    for (set, expected) in REFUSED {
        let said = template(VERSIONS[1], &["--values", text(&least_values()), "--set", set]);
        let said = said.err().unwrap_or_else(|| panic!("{set} was accepted"));
        assert!(said.contains(expected), "{set}: {said}");
    }
}

/// A parent chart may use it as a subchart: Helm then adds `global` to its values.
#[test]
fn it_can_be_a_subchart() {
    template(VERSIONS[1], &["--values", text(&least_values()), "--set", "global.imageRegistry=x"])
        .expect("rendering");
}

/// So that a typing error is never ignored.
#[test]
fn no_object_of_the_schema_takes_unknown_keys() {
    let schema = std::fs::read(chart().join("values.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_slice(&schema).expect("JSON");
    let mut found = 0;
    assert_closed("", &schema, &mut found);
    assert!(found > 20, "{found}");
}

/// Each schema with `properties` refuses others.
fn assert_closed(path: &str, schema: &Value, found: &mut usize) {
    if schema.get("properties").is_some() {
        assert_eq!(schema["additionalProperties"], false, "{path}");
        *found += 1;
    }
    match schema {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| assert_closed(&format!("{path}/{key}"), value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| assert_closed(path, value, found)),
        _ => {}
    }
}
