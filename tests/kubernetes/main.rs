//! `k8s_attributes` with a real API server: kube-apiserver and etcd, in a network namespace of their own. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod applied;
mod away;
#[allow(dead_code)] // this test uses a part of it
#[path = "../host/cgroups.rs"]
mod cgroups;
#[allow(dead_code)] // this test uses a part of it
#[path = "../chart/tools.rs"]
mod chart;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod live;
mod many;
mod objects;
mod server;
mod watched;

use std::process::ExitCode;

fn main() -> ExitCode {
    e2e::support::harness::main(&[
        ("the_server_accepts_all_manifests", applied::the_server_accepts_all_manifests),
        ("both_sides_of_real_retransmissions_are_named", live::both_sides_are_named),
        ("the_account_of_the_pod_is_used", live::the_account_of_the_pod_is_used),
        ("a_role_that_lacks_something_is_said", live::a_lacking_role_is_said),
        ("a_server_that_is_away_and_comes_back", away::comes_back),
        ("an_address_that_is_reused_a_hundred_times", watched::an_address_is_reused_a_hundred_times),
        ("many_pods_come_in_pages_and_take_little_memory", many::take_little_memory),
        ("a_reload_keeps_the_watches", many::a_reload_keeps_the_watches),
        ("nodes_services_and_workloads_are_named", watched::nodes_services_and_workloads_are_named),
    ])
}
