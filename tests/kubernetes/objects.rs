//! Objects in the API. No kubelet runs: the tests write what a kubelet would write.

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::server::VERSION;
use crate::{applied, chart};

const NAMESPACE: &str = "default";
pub const NODE: &str = "node-1";

/// Creates what a test needs, as an administrator.
#[derive(Clone)]
pub struct Objects(pub Client);

/// Who has made a pod.
pub enum Maker {
    Nothing,
    /// A Deployment of this name.
    Deployment(&'static str),
    /// A StatefulSet of this name.
    StatefulSet(&'static str),
    /// A Job of this name, with this UID.
    Job(&'static str, String),
}

impl Objects {
    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.0.clone(), NAMESPACE)
    }

    /// A pod that was bound to the node and has no address yet. Returns its UID.
    pub async fn create_pod(&self, name: &str, maker: &Maker, host_network: bool) -> String {
        let owner = |kind: &str, of: &str, uid: &str| json!([{ "apiVersion": "apps/v1", "kind": kind, "name": of, "uid": uid, "controller": true }]);
        let (owners, hash) = match maker {
            Maker::Nothing => (json!([]), None),
            Maker::Deployment(of) => (owner("ReplicaSet", &format!("{of}-5d89f"), "rs"), Some("5d89f")),
            Maker::StatefulSet(of) => (owner("StatefulSet", of, "sts"), None),
            Maker::Job(of, uid) => (owner("Job", of, uid), None),
        };
        let mut labels = json!({ "app": name });
        if let Some(hash) = hash {
            labels["pod-template-hash"] = hash.into();
        }
        let pod = json!({
            "metadata": { "name": name, "labels": labels, "ownerReferences": owners },
            "spec": { "nodeName": NODE, "hostNetwork": host_network, "containers": [{ "name": "main", "image": "x" }] }
        });
        let pod = serde_json::from_value(pod).expect("a pod");
        self.pods().create(&PostParams::default(), &pod).await.expect("creating a pod").uid().expect("a UID")
    }

    /// The pod's container runs, with these addresses.
    pub async fn run_pod(&self, name: &str, addresses: &[&str], container: &str) {
        let now = Timestamp::now().to_string();
        let ips: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
        self.patch_pod(
            name,
            json!({
                "phase": "Running", "startTime": now, "podIP": addresses.first(), "podIPs": ips,
                "containerStatuses": [{
                    "name": "main", "containerID": format!("containerd://{container}"), "image": "x", "imageID": "x",
                    "ready": true, "restartCount": 0, "state": { "running": { "startedAt": now } }
                }]
            }),
        )
        .await;
    }

    async fn patch_pod(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }));
        self.pods().patch_status(name, &PatchParams::default(), &patch).await.expect("the status of a pod");
    }

    /// So many pods that run, each with an address of its own in 10.2.0.0/16 and up.
    pub async fn run_many_pods(&self, count: usize) {
        futures::stream::iter(0..count)
            .for_each_concurrent(32, |number| async move {
                let name = format!("checkout-service-frontend-5d89f7b6c4-{number:05}");
                let address = many_address(number);
                self.create_pod(&name, &Maker::Deployment("checkout-service-frontend"), false).await;
                self.run_pod(&name, &[&address], &format!("{number:064x}")).await;
            })
            .await;
    }

    /// The pod is gone at once.
    pub async fn delete_pod(&self, name: &str) {
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        self.pods().delete(name, &now).await.expect("deleting a pod");
    }

    /// A node with an address.
    pub async fn create_node(&self, name: &str, address: &str) {
        let nodes: Api<Node> = Api::all(self.0.clone());
        let node = serde_json::from_value(json!({ "metadata": { "name": name } })).expect("a node");
        nodes.create(&PostParams::default(), &node).await.expect("creating a node");
        let status = json!({ "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        let patched = nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await;
        patched.expect("the status of a node");
    }

    /// A service with the port 443. Returns its cluster address.
    pub async fn create_service(&self, name: &str, external: &str) -> String {
        let services: Api<Service> = Api::namespaced(self.0.clone(), NAMESPACE);
        let service = json!({
            "metadata": { "name": name },
            "spec": { "ports": [{ "port": 443 }], "selector": { "app": name }, "externalIPs": [external] }
        });
        let service = serde_json::from_value(service).expect("a service");
        let service = services.create(&PostParams::default(), &service).await.expect("creating a service");
        service.spec.and_then(|spec| spec.cluster_ip).expect("a cluster address")
    }

    /// A job that a CronJob has made. Returns its UID.
    pub async fn create_job(&self, name: &str, cron_job: &str) -> String {
        let jobs: Api<k8s_openapi::api::batch::v1::Job> = Api::namespaced(self.0.clone(), NAMESPACE);
        let template =
            json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "image": "x" }] } });
        let job = json!({
            "metadata": { "name": name, "ownerReferences":
                [{ "apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": "cj", "controller": true }] },
            "spec": { "template": template }
        });
        let job = serde_json::from_value(job).expect("a job");
        jobs.create(&PostParams::default(), &job).await.expect("creating a job").uid().expect("a UID")
    }

    /// Gives the agent the role that the chart makes, and nothing else. It is that of docs/k8s-attributes.md.
    pub async fn allow_agent(&self) {
        let set = "config.content.processors.k8s_attributes.extract.metadata={k8s.cronjob.name}";
        let values = chart::least_values();
        let rendered = chart::template(VERSION, &["--values", chart::text(&values), "--set", set]);
        for object in chart::objects(&rendered.expect("the chart")) {
            if object["kind"].as_str().is_some_and(|kind| kind.starts_with("ClusterRole")) {
                applied::apply(&self.0, &object, false).await.expect("applying a role");
            }
        }
    }
}

/// The address of one of many pods.
pub fn many_address(number: usize) -> String {
    format!("10.{}.{}.{}", 2 + number / 65_536, number / 256 % 256, number % 256)
}
