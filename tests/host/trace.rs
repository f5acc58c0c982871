//! `trace` on a lossy link: how soon a line is there, its sums beside the kernel's count, and how it ends.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::e2e::background::Background;
use crate::e2e::harness::BINARY;
use crate::e2e::support::namespace::{isolated, retrans_segs, wait_until_quiet, without_gso};
use crate::e2e::support::traffic::{loopback, lossy_transfer};
use crate::e2e::traffic::lossy_transfers;

/// How long it may take to end.
const STOP: Duration = Duration::from_secs(10);
/// How soon a line is there after the traffic has begun.
const FIRST_LINE: Duration = Duration::from_millis(300);

/// A `trace` of this namespace. Its heading tells that it has started.
fn start(arguments: &[&str], stdout: Option<Stdio>) -> Background {
    start_by(&[BINARY], arguments, stdout)
}

/// The same, by another program that replaces itself with it.
fn start_by(program: &[&str], arguments: &[&str], stdout: Option<Stdio>) -> Background {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program[0]);
    command.env_clear().args(&program[1..]).arg("trace").args(arguments);
    match stdout {
        Some(stdout) => Background::start_into("trace", &mut command, folder, stdout),
        None => {
            let mut trace = Background::start("trace", &mut command, folder);
            trace.wait_until("the heading", |trace| trace.stdout().starts_with("TIME"));
            trace
        }
    }
}

/// A `trace` whose stdout is a pipe, of which the heading was read.
fn start_piped(arguments: &[&str]) -> (Background, BufReader<ChildStdout>) {
    let mut trace = start(arguments, Some(Stdio::piped()));
    let mut stdout = BufReader::with_capacity(1, trace.child().stdout.take().expect("a pipe"));
    let mut heading = String::new();
    stdout.read_line(&mut heading).expect("a heading");
    assert!(heading.starts_with("TIME"), "{heading}");
    (trace, stdout)
}

/// With the scope of a namespace all rows are of it. With that of the host, only the summary tells.
pub fn equals_the_kernel(scope: &'static str) {
    isolated(move || {
        let mut trace = start(&["--scope", scope, "--summary", "reason"], None);
        // Of two transfers the better one counts: how soon something is lost is chance.
        let first = [false, true].map(|v6| first_line(&mut trace, loopback(v6))).into_iter().min();
        wait_until_quiet();
        trace.signal(Signal::INT);
        assert_eq!(trace.exit_code(STOP), Some(0));
        println!("the first line came {first:?} after the traffic began");
        assert!(first <= Some(FIRST_LINE), "it came after {first:?}");

        let (kernel, said) = (retrans_segs(), trace.stdout());
        let (lines, summary) = said.split_once("\nREASON ").expect("a summary");
        if scope == "netns" {
            let segments = |line: &str| line.split_whitespace().nth(9)?.parse::<u64>().ok();
            let shown: u64 = lines.lines().skip(1).map(|line| segments(line).expect("segments")).sum();
            assert_eq!(shown, kernel);
        }
        let grew =
            format!("RetransSegs of this network namespace, the kernel's own count, grew by {kernel}. ");
        assert!(summary.contains(&grew) && summary.ends_with("This is equal.\n"), "{summary}");
        assert_nothing_was_full(&trace.stderr());
    });
}

/// What the kernel skipped since its program was running already is rare, and no fault of the reader.
fn assert_nothing_was_full(said: &str) {
    let last = said.lines().last().expect("a summary");
    assert!(last.contains(" lines: ") && !last.contains("_full="), "{said}");
}

/// Sends something over a lossy link. Returns after what time the first line about it was there.
fn first_line(trace: &mut Background, address: IpAddr) -> Duration {
    let peer = format!("> {}", SocketAddr::new(address, 0).to_string().trim_end_matches('0'));
    let begun = Instant::now();
    thread::scope(|threads| {
        let traffic = threads.spawn(|| lossy_transfer(address, address, 8 << 20));
        trace.wait_until("a line", |trace| trace.stdout().contains(&peer));
        let first = begun.elapsed();
        traffic.join().expect("the traffic");
        first
    })
}

/// Without any traffic: no line would tell it.
pub fn ends_when_nobody_reads() {
    isolated(|| {
        let (mut trace, stdout) = start_piped(&["--scope", "netns"]);
        drop(stdout);
        assert_eq!((trace.exit_code(STOP), &*trace.stderr()), (Some(0), ""));
        // Who runs the tests may ignore the signal, as `nohup make test` does.
        let mut trace = start_by(&["env", "--default-signal=HUP", BINARY], &["--scope", "netns"], None);
        trace.signal(Signal::HUP);
        assert_eq!(trace.exit_code(STOP), Some(0));
        let mut trace = start_by(&["nohup", BINARY], &["--scope", "netns"], None);
        trace.signal(Signal::HUP);
        trace.wait_until("a message", |trace| {
            trace.stderr().contains("SIGHUP: this command has nothing to reload")
        });
        trace.signal(Signal::TERM);
        assert_eq!(trace.exit_code(STOP), Some(0));
    });
}

/// The reader and the kernel side go on while nobody takes the lines.
pub fn tells_what_a_slow_output_has_cost() {
    isolated(|| {
        without_gso(); // for more lines than the pipe and all channels hold
        let (mut trace, stdout) = start_piped(&["--scope", "netns"]);
        lossy_transfers(48, &[]);
        trace.signal(Signal::INT);
        assert_eq!(trace.exit_code(STOP), Some(0));
        let said = trace.stderr();
        let last = said.lines().last().expect("a summary");
        assert_nothing_was_full(last);
        let numbers = |text: &str| text.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        let not_shown = last.rsplit("; ").next().and_then(numbers).expect("a number");
        let shown = numbers(last).expect("a number");
        assert!(
            last.ends_with(" lines were not shown, since the output was too slow") && not_shown > 0,
            "{said}"
        );
        println!("{shown} lines shown, {not_shown} not");
        assert!(shown > 0, "{said}");
        drop(stdout);
    });
}
