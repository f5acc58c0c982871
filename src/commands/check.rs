//! `check`: prints what this kernel and this user offer, what is missing, and what to do about it. Loads nothing.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use otel_tcpretrans_source::Report;

use crate::cli::CheckArgs;
use crate::exit::Unsupported;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let report = otel_tcpretrans_source::check()?;
    if args.text || !args.yaml && io::stdout().is_terminal() {
        super::print(text(&report).as_bytes())?;
    } else {
        super::print_yaml(&report)?;
    }
    match report.refusal {
        Some(refusal) => Err(Unsupported(refusal).into()),
        None => Ok(()),
    }
}

/// One line per thing: how well it works, what it is, what was found. What to do about it is in a line of its own.
fn text(report: &Report) -> String {
    let findings = report.findings();
    let width = findings.iter().map(|finding| finding.topic.len()).max().unwrap_or_default();
    let mut text = format!("Linux {}, {} CPUs\n\n", report.facts.kernel_release, report.facts.cpus_online);
    for finding in &findings {
        let state: &str = finding.state.into();
        // Writing to a String can't fail.
        let _ = writeln!(text, "{state:<8} {:width$}  {}", finding.topic, finding.found);
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "{:9}{:width$}  -> {mend}", "", "");
        }
    }
    if let Some(conclusion) = report.conclusion() {
        let _ = writeln!(text, "\n{conclusion}");
    }
    text
}
