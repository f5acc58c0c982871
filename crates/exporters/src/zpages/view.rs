//! What the page shows, as plain values: all of it from one moment. `/data.json` has the same.

use std::time::SystemTime;

use jiff::Timestamp;
use otel_tcpretrans_pipeline::books::{Gauge, LedgerKey, ReceiverCounts, Signal, Snapshot};
use otel_tcpretrans_pipeline::component::Host;
use otel_tcpretrans_pipeline::health::{Condition, HANGS_AFTER, Health, judge};
use otel_tcpretrans_pipeline::recent;
use otel_tcpretrans_pipeline::reloads::Outcome;
use otel_tcpretrans_pipeline::running::{PipelineRun, Runs};
use serde::Serialize;
use tokio::time::Instant;

use super::about::About;
use super::ledgers::{Ledger, exporter_ledger, pipeline_ledger};
use super::number::Number;

/// The process at one moment.
#[derive(Debug, Serialize)]
pub(super) struct View {
    pub(super) service: Service,
    pub(super) receivers: Vec<Receiver>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) exporters: Vec<Exporter>,
    /// The last warnings and errors of the log, the newest first.
    pub(super) messages: Vec<Message>,
}

#[derive(Debug, Serialize)]
pub(super) struct Service {
    pub(super) version: &'static str,
    pub(super) pid: u32,
    pub(super) time: Timestamp,
    pub(super) uptime_seconds: u64,
    pub(super) phase: &'static str,
    #[serde(flatten)]
    pub(super) condition: Stated,
    pub(super) config_hash: Option<String>,
    pub(super) reloads: Vec<Number>,
    pub(super) last_reload: Option<LastReload>,
    pub(super) extensions: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct LastReload {
    pub(super) outcome: &'static str,
    pub(super) time: Timestamp,
}

/// The condition of something.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stated {
    pub(super) status: &'static str,
    pub(super) healthy: bool,
    pub(super) ready: bool,
    pub(super) error: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Receiver {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) condition: Stated,
    /// What it makes: records or points.
    pub(super) makes: &'static str,
    /// What reached the pipelines.
    pub(super) accepted: Number,
    pub(super) numbers: Vec<Number>,
    /// What was not observed, by place and reason.
    pub(super) unobserved: Vec<Number>,
    /// What the kernel offers and how it is used.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) gauges: Vec<Number>,
}

#[derive(Debug, Serialize)]
pub(super) struct Pipeline {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) condition: Stated,
    pub(super) signal: &'static str,
    pub(super) receivers: Vec<String>,
    pub(super) processors: Vec<String>,
    pub(super) exporters: Vec<String>,
    pub(super) books: Ledger,
}

#[derive(Debug, Serialize)]
pub(super) struct Exporter {
    pub(super) id: String,
    pub(super) signal: &'static str,
    #[serde(flatten)]
    pub(super) condition: Stated,
    pub(super) queue: Option<Queue>,
    /// One for each pipeline that feeds it.
    pub(super) books: Vec<Ledger>,
}

#[derive(Debug, Serialize)]
pub(super) struct Queue {
    pub(super) size: Number,
    pub(super) capacity: Number,
}

#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub(super) time: Timestamp,
    pub(super) level: &'static str,
    pub(super) text: String,
}

impl View {
    /// Looks at the process now.
    pub(super) fn of(host: &Host, about: &About) -> View {
        // What runs is read first: what it names is in the books.
        let runs = host.running.now();
        let books = host.books.snapshot();
        let hanging = host.pulses.hanging(HANGS_AFTER);
        let health = judge(&runs, &books, &hanging, about.unhealthy_after, Instant::now());
        View {
            service: Service::of(host, about, &runs, &health),
            receivers: books
                .receivers
                .iter()
                .map(|(id, c)| Receiver::of(id, c, &runs, &health, about))
                .collect(),
            pipelines: pipelines(&runs, &books, &health, about),
            exporters: exporters(&runs, &books, &health, about),
            messages: messages(host),
        }
    }
}

impl Service {
    fn of(host: &Host, about: &About, runs: &Runs, health: &Health) -> Service {
        let metric = format!("{}_reloads", about.namespace);
        let reloads = Outcome::ALL.map(|outcome| {
            let name: &'static str = outcome.into();
            Number::new(name, host.reloads.counted(outcome), &metric, &[("outcome", name)])
        });
        let last = host.reloads.last();
        Service {
            version: crate::VERSION,
            pid: std::process::id(),
            time: Timestamp::now(),
            uptime_seconds: about.started.elapsed().as_secs(),
            phase: runs.phase.into(),
            condition: Stated::of(&health.overall),
            config_hash: host.reloads.hash_in_force(),
            reloads: reloads.into(),
            last_reload: last
                .map(|(outcome, time)| LastReload { outcome: outcome.into(), time: timestamp(time) }),
            extensions: about.extensions.clone(),
        }
    }
}

impl Stated {
    fn of(condition: &Condition) -> Stated {
        Stated {
            status: condition.state.into(),
            healthy: condition.is_healthy,
            ready: condition.is_ready,
            error: condition.error.clone(),
        }
    }

    fn of_any<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Stated {
        Stated::of(&Condition::worst(conditions))
    }
}

impl Receiver {
    fn of(id: &str, counts: &ReceiverCounts, runs: &Runs, health: &Health, about: &About) -> Receiver {
        let own = |name: &str| format!("{}_{name}", about.namespace);
        let items = if counts.makes_points { "metric_points" } else { "log_records" };
        let labels = [("receiver", id)];
        let refused = counts.unobserved.iter().filter(|lost| lost.place == "channel");
        let refused = refused.map(|lost| lost.events).sum();
        let of_receiver = |name, value, metric: &str| Number::new(name, value, metric, &labels);
        let mut numbers = vec![of_receiver("refused", refused, &format!("otelcol_receiver_refused_{items}"))];
        if !counts.makes_points {
            numbers.extend([
                of_receiver("events in the kernel", counts.seen, &own("kernel_events")),
                of_receiver("events in gaps", counts.gaps.events, &own("gap_events")),
                of_receiver("segments in gaps", counts.gaps.segments, &own("gap_segments")),
            ]);
        }
        let mut unobserved = Vec::new();
        for lost in &counts.unobserved {
            let cpu = lost.cpu.map(|cpu| cpu.to_string());
            let mut labels = vec![("receiver", id), ("place", lost.place), ("reason", lost.reason)];
            labels.extend(cpu.as_deref().map(|cpu| ("cpu", cpu)));
            let cpu = cpu.as_ref().map(|cpu| format!(", CPU {cpu}")).unwrap_or_default();
            let mut add = |what: &str, value| {
                let name = format!("{what} lost: {}, {}{cpu}", lost.place, lost.reason);
                unobserved.push(Number::new(name, value, &own(&format!("unobserved_{what}")), &labels));
            };
            add("events", lost.events);
            if let Some(segments) = lost.segments {
                add("segments", segments);
            }
        }
        let gauge = |(gauge, value): &(&Gauge, u64)| {
            Number::new(gauge.name.replace('_', " "), *value, &own(gauge.name), &labels)
        };
        let conditions: Vec<_> =
            health.pipelines.values().filter_map(|pipeline| pipeline.receivers.get(id)).collect();
        let mut condition = Stated::of_any(conditions.iter().copied());
        if !runs.receivers.contains_key(id) {
            condition.status = "not configured any more";
        }
        Receiver {
            id: id.to_owned(),
            condition,
            makes: if counts.makes_points { "metric points" } else { "records" },
            accepted: of_receiver("accepted", counts.received, &format!("otelcol_receiver_accepted_{items}")),
            numbers,
            unobserved,
            facts: counts.info.clone(),
            gauges: counts.gauges.iter().map(gauge).collect(),
        }
    }
}

fn pipelines(runs: &Runs, books: &Snapshot, health: &Health, about: &About) -> Vec<Pipeline> {
    let pipeline = |(id, run): (&String, &PipelineRun)| {
        let (key, counts) = books.ledgers.iter().find(|(key, _)| is_of_pipeline(key, id))?;
        let condition = health.pipelines.get(id).map(|pipeline| &pipeline.overall);
        Some(Pipeline {
            id: id.clone(),
            condition: Stated::of_any(condition),
            signal: run.signal.into(),
            receivers: run.receivers.clone(),
            processors: run.processors.clone(),
            exporters: run.exporters.clone(),
            books: pipeline_ledger(key, counts, about.namespace),
        })
    };
    runs.pipelines.iter().filter_map(pipeline).collect()
}

fn is_of_pipeline(key: &LedgerKey, id: &str) -> bool {
    key.exporter.is_none() && key.pipeline == id
}

fn exporters(runs: &Runs, books: &Snapshot, health: &Health, about: &About) -> Vec<Exporter> {
    let exporter = |(id, signal): &(String, Signal)| {
        let of = health
            .pipelines
            .iter()
            .filter(|(pipeline, _)| runs.pipelines.get(*pipeline).is_some_and(|run| run.signal == *signal));
        let ledgers = books
            .ledgers
            .iter()
            .filter(|(key, _)| key.exporter.as_ref() == Some(id) && key.signal == *signal);
        let queue = books.queues.iter().find(|(key, _)| key.0 == *id && key.1 == *signal);
        let data_type: &'static str = (*signal).into();
        let labels = [("exporter", id.as_str()), ("data_type", data_type)];
        Exporter {
            id: id.clone(),
            signal: data_type,
            condition: Stated::of_any(of.filter_map(|(_, pipeline)| pipeline.exporters.get(id))),
            queue: queue.map(|(_, queue)| Queue {
                size: Number::new("bytes in the queue", queue.size, "otelcol_exporter_queue_size", &labels),
                capacity: Number::new("at most", queue.capacity, "otelcol_exporter_queue_capacity", &labels),
            }),
            books: ledgers.map(|(key, counts)| exporter_ledger(key, counts, about.namespace)).collect(),
        }
    };
    runs.exporters.keys().map(exporter).collect()
}

fn messages(host: &Host) -> Vec<Message> {
    let message = |message: recent::Message| Message {
        time: timestamp(message.time),
        level: if message.is_error { "ERROR" } else { "WARN" },
        text: message.text,
    };
    host.recent.messages().into_iter().map(message).collect()
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}
