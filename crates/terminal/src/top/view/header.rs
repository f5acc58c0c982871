//! The lines above the table: the sums, and whether they can be trusted.

use otel_tcpretrans_pipeline::text::grouped;
use ratatui::style::Style;

use crate::top::model::Row;
use crate::top::view::facts::{Compared, Facts, Source, Verdict};
use crate::top::view::numbers::clock;
use crate::top::view::paint::Paint;
use crate::top::view::state::State;

/// Number of lines.
pub(crate) const HEIGHT: u16 = 4;

/// Draws them, the first `height` of them.
pub(crate) fn draw(paint: &mut Paint<'_>, height: u16, state: &State, facts: &Facts, total: &Row) {
    let (plain, bold) = (Style::new(), paint.look.bold());
    let by = format!(" by {}", <&str>::from(state.by));
    let source = match &facts.source {
        Source::Live(_) => format!("  live, {}", clock(facts.elapsed)),
        Source::Recording { file, ended } => {
            let end = if *ended { ", ended" } else { "" };
            format!("  {file}: {}{end}", clock(facts.elapsed))
        }
        Source::Agent(address) => format!("  agent {address}, {}", clock(facts.elapsed)),
    };
    let paused = if state.paused { "  PAUSED" } else { "" };
    let lines = [
        vec![
            ("otel-tcpretrans top".to_owned(), bold),
            (by, plain),
            (paused.to_owned(), bold),
            (source, plain),
        ],
        vec![
            (format!("{} segments", grouped(total.amounts.segments)), bold),
            (format!("  {:.1}/s", total.history.rate(facts.now)), bold),
            (format!("  {} events", grouped(total.amounts.events)), plain),
            (format!("  {} failed", grouped(total.amounts.failures)), plain),
        ],
        proof(paint, facts),
        losses(paint, facts),
    ];
    for (y, parts) in (0..height).zip(lines) {
        let parts: Vec<_> = parts.iter().map(|(text, style)| (text.as_str(), *style)).collect();
        paint.put_all(y, &parts);
    }
}

/// The kernel's count beside ours.
fn proof(paint: &Paint<'_>, facts: &Facts) -> Vec<(String, Style)> {
    let plain = Style::new();
    let Compared { kernel, counted, verdict } = match &facts.source {
        Source::Live(Some(compared)) => *compared,
        Source::Live(None) => {
            return vec![("not compared with the kernel: only a part is counted here".to_owned(), plain)];
        }
        Source::Recording { .. } => {
            return vec![("not compared with the kernel: this is a recording".to_owned(), plain)];
        }
        Source::Agent(_) => {
            return vec![("not compared with the kernel: an agent compares by itself".to_owned(), plain)];
        }
    };
    let difference = grouped(kernel.abs_diff(counted));
    let verdict = match verdict {
        Verdict::Equal => ("equal".to_owned(), paint.look.good()),
        Verdict::OnTheWay => (format!("{difference} on the way"), plain),
        Verdict::Different => (format!("{difference} differ"), paint.look.bad()),
    };
    let (kernel, counted) = (grouped(kernel), grouped(counted));
    vec![(format!("kernel {kernel}, counted {counted} in this namespace: "), plain), verdict]
}

fn losses(paint: &Paint<'_>, facts: &Facts) -> Vec<(String, Style)> {
    let style = |count| if count > 0 { paint.look.bad() } else { Style::new() };
    let mut parts = vec![
        (format!("{} events lost", grouped(facts.lost)), style(facts.lost)),
        (format!("  {} records dropped", grouped(facts.dropped)), style(facts.dropped)),
    ];
    if let Some(warning) = &facts.warning {
        parts.push((format!("  {warning}"), paint.look.bad()));
    }
    parts
}
