//! What the keys do, on a recording: each row is known.

use crate::e2e::harness::repository;
use crate::tmux::Tmux;

/// `top` at the end of the tests' recording.
fn top(width: u16, height: u16, before: &str, after: &str) -> Tmux {
    let tmux = Tmux::start(width, height);
    let recording = repository().join("tests/replay/retransmits.otr");
    std::os::unix::fs::symlink(recording, tmux.file("recording.otr")).expect("a link");
    tmux.enter(&format!("{before} ./program top --replay recording.otr {after}"));
    tmux.wait_until("the end of the recording", |screen| screen.contains("ended"));
    tmux
}

/// The rows of the table: what is between the names of the columns and the last line.
fn rows(screen: &str) -> Vec<&str> {
    let below = screen.lines().skip_while(|line| !line.contains("SEGMENTS")).skip(1);
    below.take_while(|line| !line.is_empty() && !line.starts_with('?')).collect()
}

fn first_words(screen: &str) -> Vec<String> {
    rows(screen).iter().filter_map(|row| row.split_whitespace().next()).map(str::to_owned).collect()
}

pub fn sort_filter_open() {
    let tmux = top(100, 24, "", "--by reason");
    // The recording holds 1605 segments, as tests/replay/retransmits.json says.
    let screen = tmux.wait_until("all segments", |screen| screen.contains("1,605 segments"));
    let reasons = first_words(&screen);
    assert!(reasons.contains(&"fast".to_owned()) && reasons.contains(&"timeout".to_owned()), "{screen}");
    assert!(screen.contains("a recording"), "{screen}");

    tmux.keys(&["S"]); // from the rate to the name
    let sorted = tmux.wait_until("sorted by name", |screen| screen.contains("by reason |"));
    let mut expected = reasons.clone();
    expected.sort();
    assert_eq!(first_words(&sorted), expected);
    tmux.keys(&["r"]);
    let turned = tmux.wait_until("turned round", |screen| screen.contains("turned round"));
    expected.reverse();
    assert_eq!(first_words(&turned), expected);

    tmux.keys(&["/", "t", "i", "m", "e"]);
    let filtered = tmux.wait_until("what is typed", |screen| screen.contains("/time_"));
    assert_eq!(first_words(&filtered), ["timeout"]);
    tmux.keys(&["Enter", "Enter"]);
    let opened = tmux.wait_until("the records", |screen| screen.contains("TIME (UTC)"));
    let records: Vec<_> = opened.lines().skip_while(|line| !line.starts_with("TIME")).skip(1).collect();
    let records: Vec<_> = records.into_iter().filter(|line| line.contains(" > ")).collect();
    assert!(!records.is_empty() && records.iter().all(|line| line.contains(" timeout ")), "{opened}");
    tmux.keys(&["Escape"]);
    tmux.wait_until("the rows again", |screen| screen.contains("have \"time\""));
    tmux.keys(&["Escape"]);
    tmux.wait_until("all rows", |screen| first_words(screen).len() == reasons.len());
}

pub fn help() {
    let tmux = top(80, 24, "", "");
    tmux.keys(&["?"]);
    let help = tmux.wait_until("the help", |screen| screen.contains("OF SENT"));
    assert!(help.contains("Ctrl-Z") && !help.contains("1,605"), "{help}");
    tmux.keys(&["x"]);
    tmux.wait_until("the rows", |screen| screen.contains("1,605 segments"));
}

pub fn resize() {
    let tmux = top(80, 24, "", "");
    for (width, height) in [(40, 10), (20, 5), (10, 3), (2, 2), (200, 50)] {
        tmux.resize(width, height);
        let words = |screen: &str| screen.lines().next().unwrap_or_default().trim_end().to_owned();
        tmux.wait_until("a drawing of this size", |screen| {
            let first = words(screen);
            // It ends with the mark of what was cut off, or with the end of the line.
            let is_cut = first.ends_with('…') && first.chars().count() == usize::from(width);
            is_cut || first.ends_with("ended")
        });
    }
    tmux.wait_until("everything", |screen| rows(screen).len() >= 2 && screen.contains("LAST MINUTE"));
}

pub fn ascii() {
    let tmux = top(72, 24, "LANG=C NO_COLOR=1", "--by connection");
    let screen = tmux.wait_until("all segments", |screen| screen.contains("1,605 segments"));
    assert!(screen.is_ascii(), "{screen}");
    assert!(screen.contains('#') && screen.contains('~'), "{screen}");
}
