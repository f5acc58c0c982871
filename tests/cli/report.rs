//! `report` of a recording of the kernel's own events.

use crate::harness::{Case, repository};

fn recording() -> String {
    repository().join("tests/replay/retransmits.otr").to_str().expect("UTF-8").to_owned()
}

/// A number behind the name in the list of a Markdown report.
fn number(report: &str, name: &str) -> u64 {
    let line = report.lines().find_map(|line| line.strip_prefix(&format!("- {name}: ")));
    line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn the_sums_are_those_that_trace_shows() {
    let report = Case::bare(&["report", &recording(), "--format", "markdown"]).run();
    report.succeeded();
    assert_eq!(report.stderr, "");
    let trace = Case::bare(&["trace", "--replay", &recording()]).run();
    let said = trace.stderr.lines().last().expect("a summary").to_owned();
    let segments = number(&report.stdout, "segments sent again");
    assert!(segments > 0 && said.contains(&format!(" with {segments} segments")), "{said}");
    // Each table has all of it.
    for title in ["## Reasons", "## Worst peers", "## Worst owners"] {
        let (_, table) = report.stdout.split_once(title).expect(title);
        let table = table.split("\n## ").next().expect("a table");
        let cells = table.lines().skip(4).filter_map(|row| row.split(" | ").nth(1)?.parse::<u64>().ok());
        assert_eq!(cells.sum::<u64>(), segments, "{title}: {table}");
    }
}

#[test]
fn conditions_choose_records() {
    let number = |conditions: &[&str]| {
        let recording = recording();
        let mut words = vec!["report", &*recording, "--format", "markdown"];
        words.extend(conditions);
        let report = Case::bare(&words).run();
        report.succeeded();
        number(&report.stdout, "segments sent again")
    };
    let all = number(&[]);
    let (ipv4, ipv6) = (number(&["network.type == ipv4"]), number(&["network.type == ipv6"]));
    assert!(ipv4 > 0 && ipv6 > 0);
    assert_eq!(ipv4 + ipv6, all);
    let nothing = Case::bare(&["report", &recording(), "network.peer.address == 203.0.113.77"]).run();
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.stderr.contains("none matches the conditions"), "{nothing:?}");
}

#[test]
fn what_cannot_be_reported_is_named() {
    let outcome = Case::bare(&["report", "nowhere.otr"]).run();
    assert_eq!(outcome.code, Some(78), "{outcome:?}");
    assert!(outcome.stderr.contains("nowhere.otr"), "{outcome:?}");
    for words in
        [&["report"][..], &["report", "a.otr", "no condition"], &["report", "a.otr", "--format", "pdf"]]
    {
        assert_eq!(Case::bare(words).run().code, Some(2), "{words:?}");
    }
    assert_eq!(Case::bare(&["report", &recording()]).stdout_full().run().code, Some(1));
}
