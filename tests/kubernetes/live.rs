//! Real retransmissions of a real process in a pod's cgroup, by the real binary.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::mount::{MsFlags, mount};

use crate::cgroups::{Cgroup, root};
use crate::e2e::agent::{Agent, Finished};
use crate::e2e::background::Background;
use crate::e2e::harness::{BINARY, repository};
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::e2e::support::traffic::{listen, lose_one_in};
use crate::e2e::telemetry::Attributes;
use crate::objects::{Maker, NODE, Objects};
use crate::server::{Cluster, FIRST, User};

/// How long it may take until a record has a name: a SYN is sent again after 1 s, 3 s, 7 s, 15 s.
const NAMED: Duration = Duration::from_secs(40);

/// The agent's configuration over the tests' own.
pub fn overlay(kubeconfig: &Path, more: &str) -> String {
    format!(
        "processors:
  cgroup:
  k8s_attributes: {{ auth_type: kubeConfig, kube_config_path: '{}', filter: {{ node: {NODE} }}, {more} }}
  aggregate: {{ attributes: [k8s.workload.name, k8s.peer.workload.name] }}
service:
  telemetry: {{ metrics: {{ prometheus: 127.0.0.1:8888 }} }}
  pipelines:
    metrics: {{ processors: [cgroup, k8s_attributes, aggregate] }}
    logs: {{ processors: [cgroup, k8s_attributes] }}
",
        kubeconfig.display()
    )
}

/// Whether the agent has printed a record to this port with this attribute.
pub fn has_printed(agent: &Agent, port: u16, attribute: &str) -> bool {
    let to = format!(":{port} ");
    agent.0.stdout().lines().any(|line| line.contains(&to) && line.split(' ').any(|word| word == attribute))
}

/// Those of the records that were sent to this port.
pub fn of_port(records: &[Attributes], port: u16) -> Vec<&Attributes> {
    let port = port.to_string();
    records.iter().filter(|record| record.get("network.peer.port") == Some(&port)).collect()
}

/// A pod with the network of its node talks to a pod, whose address becomes another pod's then.
pub fn both_sides_are_named() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let objects = Objects(cluster.client(User::Admin, FIRST));
        let address: IpAddr = "127.0.0.5".parse().expect("an address");
        let id = format!("{:064x}", 7);
        let uid = cluster.runtime.block_on(async {
            objects.allow_agent().await;
            let uid = objects.create_pod("web-1", &Maker::Deployment("web"), true).await;
            objects.run_pod("web-1", &["127.0.0.1"], &id).await;
            objects.create_pod("db-0", &Maker::StatefulSet("db"), false).await;
            objects.run_pod("db-0", &["127.0.0.5"], "x").await;
            uid
        });
        let kubeconfig = cluster.kubeconfig(User::Agent, FIRST);
        let metadata = "extract: { metadata: [k8s.namespace.name, k8s.pod.name, k8s.container.name, k8s.node.name,
            k8s.workload.name, k8s.deployment.name, k8s.statefulset.name, k8s.cronjob.name] }, wait_for_metadata: true";
        let agent = Agent::start(&overlay(&kubeconfig, metadata));
        let test = root().join(format!("tcpretrans-kubernetes-{}", std::process::id()));
        let around = ["", "kubepods", "kubepods/burstable", &format!("kubepods/burstable/pod{uid}")];
        let _around: Vec<Cgroup> = around.iter().map(|path| Cgroup::new(&test.join(path))).rev().collect();
        let container = Cgroup::new(&test.join(format!("kubepods/burstable/pod{uid}/{id}")));

        let (listener, first) = listen(address);
        lose_one_in(&listener, 1);
        let process = container.connect(address, first);
        wait_for("the first peer", NAMED, || has_printed(&agent, first, "k8s.peer.pod.name=db-0"));
        drop((process, listener));

        cluster.runtime.block_on(async {
            objects.delete_pod("db-0").await;
            objects.create_pod("cache-0", &Maker::Nothing, false).await;
            objects.run_pod("cache-0", &["127.0.0.5"], "y").await;
        });
        let (listener, second) = listen(address);
        lose_one_in(&listener, 1);
        let process = container.connect(address, second);
        wait_for("the second peer", NAMED, || has_printed(&agent, second, "k8s.peer.pod.name=cache-0"));
        drop((process, listener));

        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();
        for (port, pod, workload) in [(first, "db-0", "db"), (second, "cache-0", "cache-0")] {
            let records = of_port(&printed.records, port);
            for record in &records {
                let local = [
                    ("k8s.namespace.name", "default"),
                    ("k8s.pod.name", "web-1"),
                    ("k8s.container.name", "main"),
                    ("k8s.node.name", NODE),
                    ("k8s.workload.name", "web"),
                    ("k8s.deployment.name", "web"),
                    ("k8s.pod.uid", &uid),
                    ("container.id", &id),
                ];
                for (name, value) in local {
                    assert_eq!(record.get(name).map(String::as_str), Some(value), "{name} of {record:?}");
                }
                let peer = record.get("k8s.peer.pod.name");
                assert!(peer.is_none_or(|peer| peer == pod), "{peer:?} for {pod}");
            }
            let of_pair = printed.sums().into_iter().filter(|((metric, of), _)| {
                let of = |name: &str| of.get(name).map(String::as_str);
                metric == "system.network.tcp.retransmits"
                    && of("k8s.workload.name") == Some("web")
                    && of("k8s.peer.workload.name") == Some(workload)
            });
            let named = records.iter().filter(|record| record.contains_key("k8s.peer.pod.name")).count();
            assert_eq!(of_pair.map(|(_, sum)| sum).sum::<u64>(), named as u64, "web to {workload}");
        }
    });
}

/// Without a role, a start that waits fails with the server's own words.
pub fn a_lacking_role_is_said() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        let kubeconfig = cluster.kubeconfig(User::Nobody, FIRST);
        let more = "peers: off, wait_for_metadata: true, wait_for_metadata_timeout: 3s";
        let mut agent = Agent::starting(&overlay(&kubeconfig, more).replace(", k8s.peer.workload.name", ""));
        assert_eq!(agent.0.exit_code(Duration::from_secs(30)), Some(1));
        assert_eq!(
            agent.times_said("the API has not listed these after 3s: pods ("),
            1,
            "{}",
            agent.0.stderr()
        );
        assert_eq!(
            agent.times_said("pods is forbidden: User \"nobody\" cannot list resource \"pods\""),
            1,
            "{}",
            agent.0.stderr()
        );
    });
}

/// As in a pod: the API's place is in the environment, and the account's token and authority are files. With
/// `auth_type: none` nobody asks, and gets nothing.
pub fn the_account_of_the_pod_is_used() {
    isolated(|| {
        let cluster = Cluster::start();
        let _server = cluster.serve(FIRST);
        cluster.runtime.block_on(Objects(cluster.client(User::Admin, FIRST)).allow_agent());
        // The mounts of this test are its own, so that nothing stays in the machine's folder.
        let (run, none) = (Path::new("/var/run"), None::<&str>);
        mount(Some("tmpfs"), run, Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");
        cluster.write_account(&run.join("secrets/kubernetes.io/serviceaccount"), User::Agent);
        for (auth_type, code, said) in [
            ("serviceAccount", 0, "k8s_attributes: listed"),
            ("none", 1, "User \"system:anonymous\" cannot list resource"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let config = format!(
                "receivers: {{ replay: {{ file: '{}' }} }}
processors: {{ k8s_attributes: {{ auth_type: {auth_type}, wait_for_metadata: true, wait_for_metadata_timeout: 5s }} }}
exporters: {{ debug: }}
service:
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines: {{ logs: {{ receivers: [replay], processors: [k8s_attributes], exporters: [debug] }} }}
",
                repository().join("tests/replay/retransmits.otr").display()
            );
            fs::write(folder.path().join("config.yaml"), config).expect("writing a file");
            let mut command = Command::new(BINARY);
            command.env_clear().args(["run", "--config", "config.yaml"]);
            command
                .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
                .env("KUBERNETES_SERVICE_PORT", FIRST.to_string());
            let mut agent = Background::start("the agent", &mut command, folder);
            assert_eq!(agent.exit_code(Duration::from_secs(30)), Some(code), "{}", agent.stderr());
            assert!(agent.stderr().contains(said), "{}", agent.stderr());
        }
    });
}
