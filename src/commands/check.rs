//! `check`: prints what this kernel and this user offer, and what `auto` would choose. Loads nothing.

use crate::exit::Unsupported;

pub(crate) fn run() -> anyhow::Result<()> {
    let report = otel_tcpretrans_source::check()?;
    super::print_yaml(&report)?;
    match report.refusal {
        Some(refusal) => Err(Unsupported(refusal).into()),
        None => Ok(()),
    }
}
