//! The chart, the plain manifests and the example of a sidecar, as the real server takes them.

use std::fs;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_yaml::Value;

use crate::chart;
use crate::e2e::harness::repository;
use crate::e2e::support::namespace::isolated;
use crate::server::{Cluster, FIRST, User, VERSION};

/// Kinds that this server does not know.
const FOREIGN: [&str; 3] = ["PodMonitor", "ServiceMonitor", "SecurityContextConstraints"];

/// Applies an object as `kubectl apply --server-side` does: the server checks it, and refuses fields that it does not know.
pub async fn apply(client: &Client, object: &Value, is_trial: bool) -> Result<(), kube::Error> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let (group_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = group_version.rsplit_once('/').unwrap_or(("", &group_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
    let api: Api<DynamicObject> = match object["metadata"].get("namespace") {
        Some(namespace) => Api::namespaced_with(client.clone(), &text(namespace), &resource),
        None if is_of_all(&kind) => Api::all_with(client.clone(), &resource),
        None => Api::namespaced_with(client.clone(), "default", &resource),
    };
    let params = PatchParams { dry_run: is_trial, ..PatchParams::apply("tests") };
    api.patch(&text(&object["metadata"]["name"]), &params, &Patch::Apply(object)).await.map(drop)
}

/// Whether objects of this kind are in no namespace.
fn is_of_all(kind: &str) -> bool {
    ["Namespace", "ClusterRole", "ClusterRoleBinding"].contains(&kind)
}

pub fn the_server_accepts_all_manifests() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let client = cluster.client(User::Admin, FIRST);
        let trial = |object: &Value| cluster.runtime.block_on(apply(&client, object, true));
        for name in ["observability", "otel-tcpretrans", "shop"] {
            let text = format!("{{ apiVersion: v1, kind: Namespace, metadata: {{ name: {name} }} }}");
            let namespace = serde_yaml::from_str(&text).expect("YAML");
            cluster.runtime.block_on(apply(&client, &namespace, false)).expect("a namespace");
        }
        let mut files = Vec::new();
        for path in ["manifests/otel-tcpretrans.yaml", "examples/sidecar.yaml"] {
            files.push(fs::read_to_string(repository().join("deploy/kubernetes").join(path)).expect(path));
        }
        for values in chart::value_sets() {
            files.push(chart::template(VERSION, &["--values", chart::text(&values)]).expect("the chart"));
        }
        let mut accepted = 0;
        for object in files.iter().flat_map(|file| chart::objects(file)) {
            if object["kind"].as_str().is_none_or(|kind| !FOREIGN.contains(&kind)) {
                trial(&object).unwrap_or_else(|error| panic!("{error}: {object:?}"));
                accepted += 1;
            }
        }
        println!("    {accepted} objects");

        let mut objects = files.iter().flat_map(|file| chart::objects(file));
        let daemon_set = objects.find(|object| object["kind"] == "DaemonSet").expect("a DaemonSet");
        let text = serde_yaml::to_string(&daemon_set).expect("YAML").replace("hostPath:", "hostPaths:");
        let error =
            trial(&serde_yaml::from_str(&text).expect("YAML")).expect_err("a field that nobody knows");
        assert!(error.to_string().contains("hostPaths"), "{error}");
    });
}
