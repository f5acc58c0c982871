//! An agent with `config/dashboards.yaml`, watched from before a loss until all panels show it.

use std::fs;
use std::time::{Duration, Instant};

use super::api::Api;
use super::backends::{
    OTLP_PORT, PAGES, PROMETHEUS, VICTORIAMETRICS, collector, otlp_url, prometheus, victoriametrics,
};
use super::documented::assert_documented;
use super::loss::Traffic;
use super::queries;
use crate::e2e::agent::Agent;
use crate::e2e::harness::repository;
use crate::e2e::support::namespace::{isolated, wait_for};

/// How long something may take that Prometheus or VictoriaMetrics does by itself.
const PATIENCE: Duration = Duration::from_secs(40);
const SHARE: &str = "host:tcp_segments_sent_again:ratio5m";
const ALERT: &str = "TcpRetransmissionsRising";

pub fn each_panel_shows_a_loss_and_the_alert_fires_with_it() {
    isolated(|| {
        let _victoriametrics = victoriametrics();
        let _collector = collector();
        let agent = agent();
        let _prometheus = prometheus();

        let baseline = Traffic::without_loss();
        wait_for("a share over some time", PATIENCE, || {
            PROMETHEUS.value(&format!("count_over_time({SHARE}[12s] offset 5s)")) >= Some(4.0)
        });
        assert!(
            PROMETHEUS.value(&format!("max_over_time({SHARE}[1m])")) < Some(0.005),
            "there is loss already"
        );
        let alerts = PROMETHEUS.query(&format!("ALERTS{{alertname=~\"{ALERT}|TcpRetransmissionsHigh\"}}"));
        assert_eq!(alerts, Ok(vec![]), "nothing was lost yet");

        let losses = [Traffic::with_loss(), Traffic::of_handshakes_and_failures()];
        wait_for("the alert", PATIENCE, || {
            let firing = PROMETHEUS.query(&format!("ALERTS{{alertname=\"{ALERT}\", alertstate=\"firing\"}}"));
            !firing.expect("a query").is_empty()
        });
        for (api, host_label) in [(PROMETHEUS, "instance"), (VICTORIAMETRICS, "host_name")] {
            assert_no_panel_is_empty(api, host_label);
            assert_loss_is_shown(api, host_label);
        }
        assert_documented();
        drop((baseline, losses));
        assert_other_agents_queries_show_the_same();
        assert!(agent.times_said("panicked") == 0);
    });
}

/// Waits until each query has a result. Right after the start of a loss some series may not be there yet.
fn assert_no_panel_is_empty(api: Api, host_label: &str) {
    let mut empty = Vec::new();
    let start = Instant::now();
    wait_for(&format!("all panels in {}", api.name), PATIENCE, || {
        api.text("/internal/force_flush"); // VictoriaMetrics would show new samples seconds later; Prometheus has no such page
        let queries = queries::all(api, host_label);
        assert!(queries.len() > 50, "{}", queries.len());
        empty = queries
            .into_iter()
            .filter(|query| {
                let result =
                    api.query(&query.text).unwrap_or_else(|error| panic!("{}: {error}", query.place));
                result.iter().all(|sample| sample["value"][1] == "NaN")
            })
            .map(|query| format!("{}: {}", query.place, query.text))
            .collect();
        let is_late = start.elapsed() > PATIENCE / 2;
        assert!(empty.is_empty() || !is_late, "{} shows nothing for:\n{}", api.name, empty.join("\n"));
        empty.is_empty()
    });
}

/// What the panels are for: the loss of this test is in them.
fn assert_loss_is_shown(api: Api, host_label: &str) {
    let queries = queries::all(api, host_label);
    let value = |title: &str| {
        let query = queries.iter().find(|query| query.place == format!("TCP retransmissions, {title}, A"));
        let query = query.unwrap_or_else(|| panic!("no panel {title}"));
        api.value(&query.text).unwrap_or_else(|| panic!("{title}: nothing"))
    };
    // One packet in ten is lost where there is loss.
    let share = value("Share sent again");
    assert!(share > 0.005 && share < 0.5, "{}: {share}", api.name);
    for title in ["Segments sent again", "Mean round-trip time", "Handshakes sent again", "Failed attempts"] {
        assert!(value(title) > 0.0, "{}: {title}", api.name);
    }
}

/// What dashboards of Retina and of OBI ask for. The numbers are ours.
fn assert_other_agents_queries_show_the_same() {
    let retina = "networkobservability_adv_tcpretrans_count";
    let obi = "obi_stat_tcp_retransmits_total";
    wait_for("the same sums", PATIENCE, || {
        let ours = PROMETHEUS.value("sum(system_network_tcp_retransmit_events_total)");
        let theirs = [retina, obi].map(|name| PROMETHEUS.value(&format!("sum({name})")));
        ours > Some(0.0) && theirs == [ours, ours]
    });
    for query in [
        // The pod-level dashboard of Retina, in both of its label sets.
        format!("sum by (source_ip, destination_ip) (rate({retina}{{direction=\"EGRESS\"}}[1m])) > 0"),
        format!(
            "sum by (source_podname, source_namespace) ({retina}{{source_workload_kind=\"unknown\"}}) > 0"
        ),
        // OBI's own tests select by port; its pairs are of names.
        format!("{obi}{{dst_port=~\"[0-9]+\"}} > 0"),
        format!("sum by (src_address, dst_address, src_name, dst_name) (rate({obi}[1m])) > 0"),
    ] {
        assert_ne!(PROMETHEUS.query(&query), Ok(vec![]), "{query}");
    }
}

fn agent() -> Agent {
    let base =
        fs::read_to_string(repository().join("config/dashboards.yaml")).expect("config/dashboards.yaml");
    let [_, own, retina, obi] = PAGES;
    Agent::start_on(
        &base,
        &format!(
            "
# What other namespaces of this machine do is no part of the test.
receivers: {{ tcpretrans: {{ scope: netns }}, tcp_stats: {{ scope: netns, interval: 500ms }} }}
processors:
  aggregate: {{ interval: 500ms }}
  aggregate/others:
    interval: 500ms
    attributes: [network.local.address, network.peer.address, network.peer.port]
exporters:
  prometheus/retina: {{ endpoint: '127.0.0.1:{retina}', profile: retina }}
  prometheus/obi: {{ endpoint: '127.0.0.1:{obi}', profile: obi }}
  otlp_http: {{ metrics_endpoint: '{}' }}
  debug:
service:
  telemetry:
    metrics: {{ prometheus: '127.0.0.1:{own}', otlp: {{ endpoint: 'http://127.0.0.1:{OTLP_PORT}', interval: 500ms }} }}
  pipelines:
    metrics: {{ exporters: [prometheus, otlp_http] }}
    metrics/retina: {{ receivers: [tcpretrans], processors: [aggregate/others], exporters: [prometheus/retina] }}
    metrics/obi: {{ receivers: [tcpretrans], processors: [aggregate/others], exporters: [prometheus/obi] }}
    logs: {{ receivers: [tcpretrans], processors: [cgroup], exporters: [debug] }}
",
            otlp_url()
        ),
    )
}
