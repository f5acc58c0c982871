//! The self-telemetry as Prometheus scrapes it.

use std::time::Duration;

use crate::e2e::agent::Agent;
use crate::e2e::debug_output;
use crate::e2e::scrape::{PORT, Scrape};
use crate::e2e::support::hidden::MOST_SEGMENTS;
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::e2e::traffic::lossy_transfers;

/// Names that the contract lists for an agent whose exporters have a queue.
const CONTRACT: [&str; 14] = [
    "otelcol_receiver_accepted_log_records",
    "otelcol_receiver_refused_log_records",
    "otelcol_exporter_sent_log_records",
    "otelcol_exporter_sent_metric_points",
    "otelcol_exporter_send_failed_log_records",
    "otelcol_exporter_send_failed_metric_points",
    "otelcol_exporter_enqueue_failed_log_records",
    "otelcol_exporter_enqueue_failed_metric_points",
    "otelcol_exporter_queue_size",
    "otelcol_exporter_queue_capacity",
    "otelcol_process_uptime",
    "otelcol_process_cpu_seconds",
    "otelcol_process_memory_rss",
    "otelcol_tcpretrans_kernel_events",
];

pub fn a_scrape_shows_balanced_books() {
    isolated(|| {
        // Nobody listens at port 9, so what goes to otlp stays in its queue.
        let agent = Agent::start(&format!(
            "
processors: {{ aggregate: {{ interval: 300ms, temporality: delta }} }}
exporters: {{ otlp: {{ endpoint: 'http://127.0.0.1:9' }} }}
service:
  shutdown_timeout: 2s
  telemetry: {{ metrics: {{ prometheus: '127.0.0.1:{PORT}' }} }}
  pipelines:
    metrics: {{ exporters: [debug, otlp] }}
    logs: {{ exporters: [debug, otlp] }}
"
        ));
        let kernel_events = "otelcol_tcpretrans_kernel_events";
        assert_eq!(Scrape::take().sum(kernel_events, &[]), 0);
        let traffic = lossy_transfers(8, &[PORT]);

        // Every scrape balances, also one in the middle. The last one is made when everything has been delivered.
        let mut last = Scrape::take();
        wait_for("everything to be printed and counted", Duration::from_secs(10), || {
            assert_balanced(&last);
            let printed = debug_output::parse(&agent.0.stdout());
            last = Scrape::take();
            let of_debug = |name| last.sum(name, &[("exporter", "debug")]);
            let shortage = last.sum("otelcol_tcpretrans_unobserved_events", &[]) * MOST_SEGMENTS
                + agent.hidden().segments;
            shortage + printed.segments() >= traffic.retrans_segs
                && printed.sum_of("system.network.tcp.retransmits") == printed.segments()
                && of_debug("otelcol_exporter_sent_log_records") == printed.records.len() as u64
                && of_debug("otelcol_exporter_sent_metric_points") == printed.points.len() as u64
                && last.sum("otelcol_tcpretrans_pipeline_in_flight_records", &[]) == 0
        });
        assert_balanced(&last);
        for name in CONTRACT {
            last.samples(name, &[]);
        }
        assert!(last.sum(kernel_events, &[]) > 0);
        for name in ["otelcol_process_uptime", "otelcol_process_cpu_seconds", "otelcol_process_memory_rss"] {
            assert!(last.samples(name, &[])[0] > 0.0, "{name}");
        }
        for signal in ["logs", "metrics"] {
            let otlp = [("exporter", "otlp"), ("data_type", signal)];
            assert_eq!(last.sum("otelcol_exporter_queue_capacity", &otlp), 64 << 20);
            let of_signal = [("exporter", "otlp"), ("signal", signal)];
            let waiting =
                ["otelcol_tcpretrans_exporter_queued_items", "otelcol_tcpretrans_exporter_in_flight_items"];
            assert!(waiting.iter().map(|name| last.sum(name, &of_signal)).sum::<u64>() > 0, "{signal}");
        }

        let finished = agent.finish();
        assert_eq!(last.sum(kernel_events, &[]), finished.books.received() + finished.books.unobserved());
        let sent = last.sum("otelcol_exporter_sent_log_records", &[("exporter", "debug")]);
        assert_eq!(sent, finished.printed.records.len() as u64);
    });
}

/// Checks the equations of the books within one scrape.
fn assert_balanced(scrape: &Scrape) {
    let accepted = scrape.sum("otelcol_receiver_accepted_log_records", &[]);
    for pipeline in ["logs", "metrics"] {
        let of = |outcome| {
            scrape.sum("otelcol_tcpretrans_pipeline_records", &[("pipeline", pipeline), ("outcome", outcome)])
        };
        let settled: u64 = ["passed", "filtered", "aggregated", "dropped"].map(of).iter().sum();
        let in_flight =
            scrape.sum("otelcol_tcpretrans_pipeline_in_flight_records", &[("pipeline", pipeline)]);
        assert_eq!(of("accepted"), settled + in_flight, "{pipeline}: {scrape:#?}");
        assert!(of("accepted") <= accepted, "{pipeline}: {scrape:#?}");
        for exporter in ["debug", "otlp"] {
            let labels = [("pipeline", pipeline), ("exporter", exporter)];
            let of = |outcome| {
                let labels = [labels[0], labels[1], ("outcome", outcome)];
                scrape.sum("otelcol_tcpretrans_exporter_items", &labels)
            };
            let settled: u64 = ["delivered", "rejected", "dropped"].map(of).iter().sum();
            let waiting =
                ["otelcol_tcpretrans_exporter_queued_items", "otelcol_tcpretrans_exporter_in_flight_items"];
            let waiting: u64 = waiting.map(|name| scrape.sum(name, &labels)).iter().sum();
            assert_eq!(of("accepted"), settled + waiting, "{pipeline} {exporter}: {scrape:#?}");
            let items = if pipeline == "logs" { "log_records" } else { "metric_points" };
            let sent = scrape.sum(&format!("otelcol_exporter_sent_{items}"), &[("exporter", exporter)]);
            assert_eq!(sent, of("delivered"), "{pipeline} {exporter}: {scrape:#?}");
        }
    }
}
