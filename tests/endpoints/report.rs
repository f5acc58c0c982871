//! The page of `report` in a real browser.

use std::fs;

use super::browser::Browser;
use crate::e2e::harness::{Case, repository};

pub fn a_browser_shows_it() {
    let recording = repository().join("tests/replay/retransmits.otr");
    let report = Case::bare(&["report", recording.to_str().expect("UTF-8")]).run();
    report.succeeded();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    fs::write(&page, &report.stdout).expect("writing the page");
    let url = format!("file://{}", page.display());
    let mut browser = Browser::start();
    for (width, scheme) in [(360, "light"), (360, "dark"), (1200, "light")] {
        browser.show(&url, width, scheme);
        let number = |browser: &mut Browser, expression: &str| {
            browser.evaluate(expression).as_f64().unwrap_or_else(|| panic!("{expression}"))
        };
        // Only what is wide on purpose can be scrolled sideways, and it scrolls by itself.
        assert!(number(&mut browser, "document.documentElement.scrollWidth") <= f64::from(width), "{width}");
        assert_eq!(number(&mut browser, "performance.getEntriesByType('resource').length"), 0.0);
        let bars = "[...document.querySelector('svg').querySelectorAll('rect')].filter(bar => bar.getBoundingClientRect().height > 1).length";
        assert!(number(&mut browser, bars) > 0.0, "{width}");
        let dots =
            number(&mut browser, "document.querySelectorAll('svg')[1].querySelectorAll('circle').length");
        let connections = "[...document.querySelectorAll('dt')].find(it => it.textContent == 'connections').nextSibling.textContent * 1";
        assert_eq!(dots, number(&mut browser, connections), "a dot for each connection");
        let segments = "[...document.querySelectorAll('table')].slice(0, 2).map(table => \
                        [...table.querySelectorAll('tbody td:nth-child(2)')].reduce((sum, cell) => sum + cell.textContent * 1, 0)).join()";
        let total = "[...document.querySelectorAll('dt')].find(it => it.textContent == 'segments sent again').nextSibling.textContent * 1";
        let total = number(&mut browser, total);
        assert_eq!(
            browser.evaluate(segments).as_str(),
            Some(&*format!("{total},{total}")),
            "each table has all"
        );
    }
}
