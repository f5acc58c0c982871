//! The page about telemetry: tables of all that the code describes.

use otel_tcpretrans_exporters::prometheus::counter_name;
use otel_tcpretrans_pipeline::attribute::{Attribute, Described, Key};
use otel_tcpretrans_pipeline::metric::Descriptor;
use otel_tcpretrans_pipeline::processors::aggregate::{DEFAULT_ATTRIBUTES, METRICS};
use otel_tcpretrans_pipeline::processors::{
    AggregateConfig, CgroupConfig, K8sAttributesConfig, NetworksConfig,
};
use otel_tcpretrans_pipeline::record::EVENTS;
use otel_tcpretrans_source::tcp_stats;
use strum::IntoEnumIterator;

use super::instruments;
use super::markdown::{code, heads, listed, row, section, sentence, text};

const HEAD: &str = "\
# Telemetry: metrics, attributes and log events

<!-- Made from the code by `make reference`. Do not edit it: a test compares it with the code. -->

All that otel-tcpretrans sends, and all that it tells of itself. A metric has two names: that of OTLP, and that on a page which
Prometheus scrapes.
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    metrics(&mut page);
    attributes(&mut page);
    events(&mut page);
    own(&mut page);
    page
}

fn metrics(page: &mut String) {
    section(
        page,
        "Metrics of the pipelines",
        "All are monotonic sums. Each can have cumulative or delta temporality.",
    );
    heads(page, &["OTLP", "Prometheus", "unit", "counts", "from"]);
    for descriptor in METRICS {
        metric(page, descriptor, "`aggregate`");
    }
    for descriptor in &tcp_stats::METRICS {
        metric(page, descriptor, "`tcp_stats`");
    }
    let default = DEFAULT_ATTRIBUTES.iter().map(Key::name);
    let of_stats = tcp_stats::ATTRIBUTES.map(Attribute::name);
    text(
        page,
        &format!(
            "A point of `aggregate` has these attributes, if its records have them: {}. `aggregate.attributes` adds others. \
         `system.network.tcp.retransmit.rtt` is there with `aggregate.rtt: true`. A point of `tcp_stats` has: {}.",
            listed(default),
            listed(of_stats.into_iter())
        ),
    );
}

fn metric(page: &mut String, descriptor: &Descriptor, from: &str) {
    let Descriptor { name, unit, description, .. } = *descriptor;
    row(page, &[&code(name), &code(&counter_name(name, unit)), &code(unit), &sentence(description), from]);
}

fn attributes(page: &mut String) {
    section(
        page,
        "Attributes",
        "Of log records and of metric points. \"Added\" means that a metric has it if `aggregate.attributes` names it.",
    );
    heads(page, &["attribute", "type", "says", "log records", "metrics", "from"]);
    for attribute in Attribute::iter() {
        let in_logs = if attribute == Attribute::MetricOverflow { "no" } else { "yes" };
        row_of(page, &attribute.described(), in_logs, in_metrics(attribute), "receivers");
    }
    for (described, from) in [
        (CgroupConfig::described(), "`cgroup`"),
        (K8sAttributesConfig::described(), "`k8s_attributes`"),
        (NetworksConfig::described(), "`networks`"),
    ] {
        described.iter().for_each(|attribute| row_of(page, attribute, "yes", "added", from));
    }
}

fn in_metrics(attribute: Attribute) -> &'static str {
    let is_default =
        DEFAULT_ATTRIBUTES.contains(&Key::Own(attribute)) || attribute == Attribute::MetricOverflow;
    let added = AggregateConfig { attributes: vec![Key::Own(attribute)], ..AggregateConfig::default() };
    match is_default {
        true => "yes",
        false if added.validate().is_empty() => "added",
        false => "no",
    }
}

fn row_of(page: &mut String, described: &Described, in_logs: &str, in_metrics: &str, from: &str) {
    let kind: &str = described.kind.into();
    row(page, &[&code(&described.name), kind, described.text, in_logs, in_metrics, from]);
}

fn events(page: &mut String) {
    section(page, "Log events", "The event name of a log record.");
    heads(page, &["event", "tells of"]);
    for (name, text) in EVENTS {
        row(page, &[&code(name), text]);
    }
}

fn own(page: &mut String) {
    section(
        page,
        "The process's own metrics",
        "They are at `service.telemetry.metrics.prometheus` under these names, and by OTLP at `service.telemetry.metrics.otlp`. \
         Where the Collector has such a metric, it has the Collector's name.",
    );
    heads(page, &["metric", "unit", "type", "labels", "says"]);
    for (name, instrument) in instruments::all() {
        let labels = listed(instrument.labels.iter().map(String::as_str));
        row(
            page,
            &[
                &code(&name),
                &code(&instrument.unit),
                instrument.kind,
                &labels,
                &sentence(&instrument.description),
            ],
        );
    }
}
