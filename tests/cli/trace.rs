//! `trace` on a recording: what it shows, and how it ends.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value};

use crate::harness::{BINARY, Case, Outcome, repository};

/// A command on the recording of the tests.
fn trace(arguments: &[&str]) -> Case {
    let case = Case::bare(&["trace", "--replay", &recording()]);
    arguments.iter().fold(case, |case, argument| case.arg(argument))
}

fn recording() -> String {
    repository().join("tests/replay/retransmits.otr").to_str().expect("UTF-8").to_owned()
}

/// How many records the recording has, and how many segments.
fn recorded() -> (usize, u64) {
    let text = fs::read_to_string(repository().join("tests/replay/retransmits.json")).expect("the numbers");
    let numbers: Value = serde_json::from_str(&text).expect("JSON");
    let number = |name: &str| numbers[name].as_u64().expect("a number");
    (number("records") as usize, number("retrans_segs"))
}

/// The cells of each row, without the heading.
fn rows(outcome: &Outcome) -> Vec<Vec<&str>> {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stdout.lines().skip(1).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn each_record_is_a_row_below_the_headings_of_bcc() {
    let outcome = trace(&[]).run();
    let headings: Vec<_> = outcome.stdout.lines().next().expect("a heading").split_whitespace().collect();
    let of_bcc = ["PID", "IP", "LADDR:LPORT", "T>", "RADDR:RPORT", "STATE"];
    assert_eq!(headings.iter().filter(|heading| of_bcc.contains(heading)).count(), of_bcc.len());
    let (records, segments) = recorded();
    let rows = rows(&outcome);
    assert!(rows.iter().all(|row| row.len() == headings.len()), "{}", outcome.stdout);
    assert_eq!(rows.len(), records);
    let at = |name: &str| headings.iter().position(|heading| *heading == name).expect("a column");
    let shown: u64 = rows.iter().map(|row| row[at("SEGS")].parse::<u64>().expect("a number")).sum();
    assert_eq!(shown, segments);
    let expected = format!(
        "{records} lines: {records} retransmissions with {segments} segments, 0 gaps; nothing was lost\n"
    );
    assert_eq!(outcome.stderr, expected);
}

/// The log records that the exporter `file` writes of the same recording.
#[test]
fn json_has_the_attributes_of_the_log_records() {
    let config = format!(
        "receivers: {{ replay: {{ file: '{}' }} }}\n\
         exporters: {{ file: {{ path: logs.json }} }}\n\
         service:\n  \
           telemetry: {{ metrics: {{ prometheus: null }} }}\n  \
           pipelines: {{ logs: {{ receivers: [replay], exporters: [file] }} }}\n",
        recording()
    );
    let (outcome, written) = Case::new("run", &config).run_and_read("logs.json");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let written: Vec<Map<String, Value>> = written.lines().flat_map(log_records).collect();
    let outcome = trace(&["--json"]).run();
    let shown: Vec<Map<String, Value>> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(shown.len(), recorded().0);
    assert_eq!(shown, written);
}

/// The records of a request, as `trace --json` shows them.
fn log_records(request: &str) -> Vec<Map<String, Value>> {
    let request: Value = serde_json::from_str(request).expect("JSON");
    let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().expect("records");
    records.iter().map(flat).collect()
}

fn flat(record: &Value) -> Map<String, Value> {
    let mut object = Map::new();
    let nanoseconds: u64 = record["timeUnixNano"].as_str().expect("a time").parse().expect("a number");
    object.insert("time".to_owned(), rfc3339(nanoseconds).into());
    object.insert("event_name".to_owned(), record["eventName"].clone());
    for attribute in record["attributes"].as_array().expect("attributes") {
        let (kind, value) = attribute["value"].as_object().expect("a value").iter().next().expect("one");
        // OTLP's JSON has numbers of 64 bits as texts.
        let value = match (kind.as_str(), value.as_str()) {
            ("intValue", Some(text)) => text.parse::<i64>().expect("a number").into(),
            _ => value.clone(),
        };
        object.insert(attribute["key"].as_str().expect("a name").to_owned(), value);
    }
    object
}

/// By another program than the one that is tested.
fn rfc3339(unix_nano: u64) -> String {
    let (seconds, nanoseconds) = (unix_nano / 1_000_000_000, unix_nano % 1_000_000_000);
    let arguments = ["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%S"];
    let output = Command::new("date").args(arguments).output().expect("date");
    format!("{}.{nanoseconds:09}Z", String::from_utf8(output.stdout).expect("UTF-8").trim())
}

#[test]
fn of_several_conditions_one_has_to_match() {
    let reasons = |conditions: &[&str]| {
        let outcome = trace(conditions).run();
        let mut reasons: Vec<_> = rows(&outcome)
            .iter()
            .map(|row| row[8].split('(').next().unwrap_or_default().to_owned())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    };
    let (fast, timeout) = ("network.tcp.retransmit.type == fast", "network.tcp.retransmit.type == timeout");
    assert_eq!(reasons(&[fast]), ["fast"]);
    assert_eq!(reasons(&[fast, timeout]), ["fast", "timeout"]);
    assert_eq!(reasons(&["network.peer.address in 10.0.0.0/8"]), Vec::<String>::new());
}

#[test]
fn a_condition_that_cannot_be_read_is_a_usage_error() {
    for (condition, problem) in [
        ("network.peer.port = 80", "expected ATTRIBUTE (==|!=|in|not in) VALUE"),
        (
            "network.peer.prot == 80",
            "unknown attribute `network.peer.prot`; did you mean `network.peer.port`?",
        ),
        ("network.peer.port == http", "`http` is no value of network.peer.port; expected a port"),
        // Only a processor would find it.
        ("k8s.pod.name == a", "unknown attribute `k8s.pod.name`"),
    ] {
        let outcome = trace(&[condition]).run();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(2), ""), "{outcome:?}");
        assert!(
            outcome.stderr.contains(&format!("condition `{condition}`: {problem}")),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_summary_adds_up_what_was_shown() {
    let (records, segments) = recorded();
    for (by, heading) in [("peer", "PEER"), ("owner", "PID/COMM"), ("reason", "REASON")] {
        let outcome = trace(&["--summary", by]).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let table = outcome.stdout.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
        let numbers = table.map(|line| {
            let cells: Vec<_> = line.split_whitespace().rev().collect(); // the name may have spaces
            [cells[2], cells[1]].map(|cell| cell.parse::<u64>().expect("a number"))
        });
        let sums = numbers.fold([0, 0], |[events, sum], [more, added]| [events + more, sum + added]);
        assert_eq!(sums, [records as u64, segments], "{}", outcome.stdout);
        // The kernel counts what happens, and not what a recording tells.
        assert!(!outcome.stdout.contains("RetransSegs"), "{}", outcome.stdout);
    }
}

#[test]
fn it_stops_after_so_many_lines() {
    for json in [&[][..], &["--json"]] {
        let outcome = trace(&[&["--count", "3"], json].concat()).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stdout.lines().count(), 3 + usize::from(json.is_empty()), "{}", outcome.stdout);
        assert!(outcome.stderr.starts_with("3 lines: "), "{outcome:?}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly_and_a_full_disk_does_not() {
    let closed = trace(&["--summary", "peer"]).stdout_unread().run();
    assert_eq!((closed.code, &*closed.stderr), (Some(0), ""), "{closed:?}");
    let full = trace(&[]).stdout_full().run();
    assert_eq!(full.code, Some(1), "{full:?}");
    assert!(
        full.stderr.contains("can't write to the standard output: No space left on device"),
        "{}",
        full.stderr
    );
}

#[test]
fn a_terminal_has_colours_and_a_pipe_has_none() {
    let has_colours = |text: &str| {
        assert!(text.contains("LADDR:LPORT"), "{text}");
        text.contains("\x1b[")
    };
    let piped = |when: &[&str]| has_colours(&trace(when).env("TERM", "xterm").run().stdout);
    assert!(!piped(&[]));
    assert!(piped(&["--color", "always"]));
    let on_a_terminal = |color: &str, variable: &str| {
        // script(1) gives the command a terminal.
        let command = format!("'{BINARY}' trace --replay '{}' --color {color}", recording());
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        let output = script.env(variable, "1").output().expect("script");
        assert!(output.status.success(), "{output:?}");
        has_colours(&String::from_utf8(output.stdout).expect("UTF-8"))
    };
    assert!(on_a_terminal("auto", "SOME_COLOR"));
    assert!(!on_a_terminal("auto", "NO_COLOR"));
    assert!(!on_a_terminal("never", "SOME_COLOR"));
}

#[test]
fn a_recording_that_is_not_there_is_named() {
    let outcome = Case::bare(&["trace", "--replay", "nowhere.otr"]).run();
    assert_eq!((outcome.code, &*outcome.stdout), (Some(78), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("nowhere.otr: No such file or directory"), "{}", outcome.stderr);
}
