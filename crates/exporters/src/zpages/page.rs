//! The page as HTML. It needs no script and no other file.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use otel_tcpretrans_pipeline::text::grouped;

use super::format::duration;
use super::ledgers::Ledger;
use super::number::Number;
use super::picture::{Way, picture, status};
use super::view::{Exporter, Pipeline, Queue, Receiver, Stated, View};

/// The query with which the page loads itself again.
pub(super) const REFRESH: &str = "refresh=5";

const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) fn page(view: &View, refreshes: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if refreshes { meta http-equiv="refresh" content="5"; }
                title { "otel-tcpretrans" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(view, refreshes))
                main {
                    section id="graph" {
                        h2 { "Graph" }
                        @if view.pipelines.is_empty() { p class="note" { "No pipeline runs." } }
                        (picture(view, Way::Wide))
                        (picture(view, Way::Narrow))
                    }
                    section id="receivers" {
                        h2 { "Receivers" }
                        div class="cards" { @for receiver in &view.receivers { (self::receiver(receiver)) } }
                    }
                    section id="pipelines" {
                        h2 { "Pipelines" }
                        div class="cards" { @for pipeline in &view.pipelines { (self::pipeline(pipeline)) } }
                    }
                    section id="exporters" {
                        h2 { "Exporters" }
                        div class="cards" { @for exporter in &view.exporters { (self::exporter(exporter)) } }
                    }
                    (messages(view))
                }
                footer {
                    p {
                        "All numbers are from one moment, " (view.service.time.strftime("%H:%M:%S%.3f UTC").to_string())
                        ", and are those of " code { "/metrics" } ": each has its series as a tooltip. "
                        a href="/data.json" { "The same as JSON" } "."
                    }
                }
            }
        }
    }
}

fn head(view: &View, refreshes: bool) -> Markup {
    let service = &view.service;
    let status = status(&service.condition);
    let word = if service.condition.healthy { "healthy" } else { status.word };
    html! {
        header id="service" {
            div class="bar" {
                h1 { "otel-tcpretrans" }
                span class=(format!("badge {}", status.class)) { (word) }
                @if refreshes { a class="refresh" href="/" { "Stop the refresh" } }
                @else { a class="refresh" href={ "/?" (REFRESH) } { "Refresh every 5 s" } }
            }
            @if let Some(error) = &service.condition.error { p class="error" { (error) } }
            dl class="facts" {
                (fact("version", service.version))
                (fact("process", &service.pid.to_string()))
                (fact("phase", service.phase))
                (fact("up for", &duration(service.uptime_seconds)))
                (fact("configuration", service.config_hash.as_deref().unwrap_or("none")))
                (fact("extensions", &service.extensions.join(", ")))
                div {
                    dt { "reloads" }
                    dd {
                        @for (index, number) in service.reloads.iter().enumerate() {
                            @if index > 0 { ", " }
                            (value(number)) " " (number.name)
                        }
                    }
                }
                div {
                    dt { "last reload" }
                    dd {
                        @match &service.last_reload {
                            Some(last) => { (last.outcome) ", " (last.time.strftime("%F %T UTC").to_string()) }
                            None => { "none since the start" }
                        }
                    }
                }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// A number with its series.
fn value(number: &Number) -> Markup {
    html! {
        span class="value" title=(number.series) data-series=(number.series) data-value=(number.value) {
            (grouped(number.value))
        }
    }
}

fn row(number: &Number) -> Markup {
    let is_loss = number.value > 0 && (number.name.starts_with("dropped") || number.name == "rejected");
    html! {
        div class=[is_loss.then_some("loss")] { dt { (number.name) } dd { (value(number)) } }
    }
}

fn title(kind: &str, id: &str, what: &str, of: &Stated) -> Markup {
    let status = status(of);
    html! {
        h3 {
            span class="id" { (id) }
            @if !what.is_empty() { " " span class="what" { (what) } }
            span class=(format!("badge {}", status.class)) { (status.word) }
        }
        @if let Some(error) = &of.error { p class="error" { span class="hidden" { (kind) " " (id) ": " } (error) } }
    }
}

fn receiver(receiver: &Receiver) -> Markup {
    html! {
        article {
            (title("receiver", &receiver.id, receiver.makes, &receiver.condition))
            dl class="books" {
                (row(&receiver.accepted))
                @for number in &receiver.numbers { (row(number)) }
                @for number in &receiver.unobserved {
                    div class=[(number.value > 0).then_some("loss")] { dt { (number.name) } dd { (value(number)) } }
                }
            }
            @if !receiver.facts.is_empty() || !receiver.gauges.is_empty() {
                h4 { "Hooks and kernel" }
                dl class="books" {
                    @for (name, value) in &receiver.facts { div { dt { (name.replace('_', " ")) } dd { (value) } } }
                    @for number in &receiver.gauges { (row(number)) }
                }
            }
        }
    }
}

fn pipeline(pipeline: &Pipeline) -> Markup {
    html! {
        article {
            (title("pipeline", &pipeline.id, "", &pipeline.condition))
            p class="note" {
                (pipeline.receivers.join(", ")) " → "
                @for processor in &pipeline.processors { (processor) " → " }
                (pipeline.exporters.join(", "))
            }
            (ledger(&pipeline.books))
        }
    }
}

fn ledger(ledger: &Ledger) -> Markup {
    html! {
        dl class="books" {
            (row(&ledger.accepted))
            @for number in &ledger.outcomes { (row(number)) }
        }
    }
}

fn exporter(exporter: &Exporter) -> Markup {
    html! {
        article {
            (title("exporter", &exporter.id, exporter.signal, &exporter.condition))
            @if let Some(queue) = &exporter.queue { (self::queue(queue)) }
            @for books in &exporter.books {
                h4 { "From pipeline " (books.pipeline) }
                (ledger(books))
            }
        }
    }
}

fn queue(queue: &Queue) -> Markup {
    let percent = (queue.size.value * 100).checked_div(queue.capacity.value).unwrap_or(0).min(100);
    let class = match percent {
        0..50 => "good",
        50..90 => "warn",
        _ => "bad",
    };
    html! {
        div class="queue" {
            div class="gauge" { div class=(class) style=(format!("width:{percent}%")) {} }
            p class="note" {
                "queue: " (value(&queue.size)) " of " (value(&queue.capacity)) " bytes, " (percent) " %"
            }
        }
    }
}

fn messages(view: &View) -> Markup {
    html! {
        section id="messages" {
            h2 { "Last warnings and errors" }
            @if view.messages.is_empty() { p class="note" { "None since the start." } }
            ul class="log" {
                @for message in &view.messages {
                    li {
                        span class="when" { (message.time.strftime("%F %T UTC").to_string()) } " "
                        span class=(if message.level == "ERROR" { "badge bad" } else { "badge warn" }) { (message.level) } " "
                        (message.text)
                    }
                }
            }
        }
    }
}
