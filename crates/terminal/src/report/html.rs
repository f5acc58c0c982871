//! The report as a page that needs no other file.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use otel_tcpretrans_pipeline::record::RetransmitType;
use strum::IntoEnumIterator;

use super::about::About;
use super::charts;
use super::collected::Collected;
use super::tables::{Table, summary, tables};

const STYLE: &str = include_str!("style.css");

pub(super) fn page(collected: &Collected, about: &About) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "TCP retransmissions: " (about.recording) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "TCP retransmissions" }
                dl {
                    @for (name, value) in summary(collected, about) { div { dt { (name) } dd { (value) } } }
                }
                h2 { "Over time" }
                p { "Segments sent again per second, by reason." }
                (legend())
                figure { (PreEscaped(charts::timeline(collected))) }
                h2 { "Round-trip time against losses" }
                p { "Each dot is a connection: its mean round-trip time, and its segments sent again." }
                figure { (PreEscaped(charts::rtt(collected))) }
                @for table in tables(collected) { (shown(&table)) }
            }
        }
    };
    page.into_string()
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for reason in RetransmitType::iter() {
                @let name: &str = reason.into();
                li { span style=(format!("background:{}", charts::css(reason))) {} (name) }
            }
        }
    }
}

fn shown(table: &Table) -> Markup {
    html! {
        h2 { (table.title) }
        div.wide {
            table {
                thead { tr { @for heading in &table.headings { th { (heading) } } } }
                tbody {
                    @for row in &table.rows { tr { @for cell in row { td { (cell) } } } }
                }
            }
        }
        @if let Some(note) = &table.note { p { (note) } }
    }
}
