//! An API server that is killed and comes back.

use std::io::Write;
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use crate::e2e::agent::{Agent, Finished};
use crate::e2e::scrape::Scrape;
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::e2e::support::traffic::{listen, lose_one_in};
use crate::live::{has_printed, of_port, overlay};
use crate::objects::{Maker, Objects};
use crate::server::{Cluster, FIRST, SECOND, User};

/// After some failures, up to a minute is between two attempts.
const NOTICED: Duration = Duration::from_secs(120);
const PODS: &[(&str, &str)] = &[("resource", "pods")];

fn pods(name: &str) -> u64 {
    Scrape::take().sum(&format!("otelcol_tcpretrans_k8s_{name}"), PODS)
}

/// Retransmissions to this address, until one of them has this attribute. Returns their port.
fn named(agent: &Agent, address: &str, attribute: &str) -> u16 {
    let address: IpAddr = address.parse().expect("an address");
    let (listener, port) = listen(address);
    let mut client = TcpStream::connect((address, port)).expect("connect");
    let (accepted, _) = listener.accept().expect("accept");
    lose_one_in(&accepted, 1);
    // It is sent again after 200 ms, 400 ms, …
    client.write_all(&[7]).expect("write");
    wait_for(attribute, Duration::from_secs(30), || has_printed(agent, port, attribute));
    port
}

/// The agent's server is killed. What is known goes on to be named. A pod ends and its address becomes another one's, by
/// another server of the cluster. When the first server is back, the agent learns of both.
pub fn comes_back() {
    isolated(|| {
        let cluster = Cluster::start();
        let server = cluster.serve(FIRST);
        let _other_server = cluster.serve(SECOND);
        let objects = Objects(cluster.client(User::Admin, SECOND));
        cluster.runtime.block_on(async {
            objects.allow_agent().await;
            for (name, address) in [("stays", "127.0.0.7"), ("ends", "127.0.0.6")] {
                objects.create_pod(name, &Maker::Nothing, false).await;
                objects.run_pod(name, &[address], name).await;
            }
        });
        let kubeconfig = cluster.kubeconfig(User::Agent, FIRST);
        let agent = Agent::start(&overlay(&kubeconfig, "wait_for_metadata: true"));
        named(&agent, "127.0.0.6", "k8s.peer.pod.name=ends");
        assert_eq!((pods("connected"), pods("objects")), (1, 2));
        let told = pods("last_event_time");

        drop(server); // kills it
        wait_for("the watch to fail", NOTICED, || pods("connected") == 0);
        assert!(pods("watch_errors") > 0);
        named(&agent, "127.0.0.7", "k8s.peer.pod.name=stays");
        cluster.runtime.block_on(async {
            objects.delete_pod("ends").await;
            objects.create_pod("begins", &Maker::Nothing, false).await;
            objects.run_pod("begins", &["127.0.0.6"], "begins").await;
        });

        let _server = cluster.serve(FIRST);
        wait_for("the watch to go on", NOTICED, || pods("connected") == 1 && pods("last_event_time") > told);
        let after = named(&agent, "127.0.0.6", "k8s.peer.pod.name=begins");
        assert_eq!(pods("objects"), 2);
        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();
        for record in of_port(&printed.records, after) {
            let peer = record.get("k8s.peer.pod.name");
            assert!(peer.is_none_or(|peer| peer == "begins"), "{peer:?}");
        }
    });
}
