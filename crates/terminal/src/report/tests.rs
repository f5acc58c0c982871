//! Reports of made-up records.

use otel_tcpretrans_pipeline::record::{Class, Command, Owner, Record, RetransmitType};

use super::*;
use crate::fixtures::{gap, record};

fn report(records: &[Record]) -> Report {
    let report = Report::default();
    records.iter().for_each(|record| report.0.lock().unwrap().add(record));
    report
}

fn later(seconds: u64, retransmit_type: RetransmitType) -> Record {
    let class = Class { retransmit_type, ..record().class };
    Record { time_unix_nano: record().time_unix_nano + seconds * 1_000_000_000, class, ..record() }
}

#[test]
fn the_timeline_has_all_segments_in_steps_of_equal_length() {
    let records = [0, 1, 7, 299].map(|seconds| later(seconds, RetransmitType::Fast));
    let report = report(&records);
    let collected = report.0.lock().unwrap();
    let (step, timeline) = collected.timeline(120);
    assert_eq!((step, timeline.len()), (2.5, 120));
    assert_eq!((timeline[0][0], timeline[2][0], timeline[119][0]), (4, 2, 2));
    assert_eq!(timeline.iter().flatten().sum::<u64>(), 8);
    assert_eq!(collected.timeline(1), (299.1, vec![[8, 0, 0, 0, 0]]));
}

#[test]
fn markdown_has_the_sums_and_the_worst_first() {
    let about = About {
        recording: "a.otr".to_owned(),
        lost: vec![("recording/lost".to_owned(), 7)],
        ..About::default()
    };
    let text =
        report(&[record(), later(2, RetransmitType::Fast), gap()]).write(Format::Markdown, &about).unwrap();
    for line in [
        "- recording: a.otr",
        "- segments sent again: 204",
        "- lost of the recording: events: 7 (recording/lost)",
        "| fast | 4 | 2.0 % |",
        "| timeout | 200 | 98.0 % |",
        "| 192.0.2.7 | 4 | 2.0 % | 2 | 0 | 1.50 | fast |",
        "| curl | 4 | 2.0 % | 2 | 0 | 1.50 | fast |",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    let place = |what: &str| text.find(what).unwrap();
    assert!(place("(gaps, without addresses)") < place("| 192.0.2.7 |"), "{text}");
}

#[test]
fn a_name_of_a_process_can_change_neither_the_page_nor_the_text() {
    let owner = Owner { pid: 1, command: Command::from_kernel(*b"<img|`*>\n\0\0\0\0\0\0\0") };
    let report = report(&[Record { owner: Some(owner), ..record() }]);
    let page = report.write(Format::Html, &About::default()).unwrap();
    assert!(!page.contains("<img") && page.contains("&lt;img"), "{page}");
    let text = report.write(Format::Markdown, &About::default()).unwrap();
    assert!(text.contains("\\<img\\|\\`\\*\\>"), "{text}");
}

#[test]
fn the_page_needs_nothing_else_and_has_both_charts() {
    let page = report(&[record(), later(2, RetransmitType::Timeout)])
        .write(Format::Html, &About::default())
        .unwrap();
    assert_eq!(page.matches("<svg ").count(), 2);
    assert!(!page.contains("can't be drawn"));
    for outside in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn without_a_record_there_is_no_report() {
    let about = About { conditions: vec!["a == b".to_owned()], ..About::default() };
    let error = Report::default().write(Format::Html, &about).unwrap_err();
    assert_eq!(error.to_string(), "no record to report: none matches the conditions");
}

#[test]
fn labels_of_axes_are_short() {
    let labels = [0.0, 0.6000000000000001, 1.5999999999999999, 0.05, 1200.0].map(charts::label);
    assert_eq!(labels, ["0", "0.6", "1.6", "0.05", "1200"]);
}
