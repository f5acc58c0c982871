//! What all pages have in common.

use clap_mangen::roff::{Roff, bold, roman};

/// Shown at the foot of each page.
pub(super) const SOURCE: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A manual page and the name of its file, such as `otel-tcpretrans-run.1`.
pub(super) struct Page {
    pub(super) file: String,
    pub(super) text: Vec<u8>,
}

/// A section that explains terms.
pub(super) fn section(text: &mut Vec<u8>, title: &str, terms: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, explanation) in terms {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*explanation)]);
    }
    Ok(roff.to_writer(text)?)
}

/// The last section: other pages and their sections.
pub(super) fn see_also(text: &mut Vec<u8>, pages: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (index, (name, section)) in pages.iter().enumerate() {
        line.push(roman(if index == 0 { "" } else { ", " }));
        line.push(bold(*name));
        line.push(roman(format!("({section})")));
    }
    roff.text(line);
    Ok(roff.to_writer(text)?)
}
