//! `record` on the real kernel, and the replay of what it recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use rustix::process::Signal;

use crate::e2e::agent::Agent;
use crate::e2e::background::Background;
use crate::e2e::debug_output;
use crate::e2e::harness::BINARY;
use crate::e2e::recorded::Recorded;
use crate::e2e::support::namespace::{isolated, without_gso};
use crate::e2e::telemetry::Telemetry;
use crate::e2e::traffic::lossy_transfers;

/// How long a recorder may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// Variable with the path, without extension, where a test leaves its recording. Unset, it leaves none.
const KEEP: &str = "OTEL_TCPRETRANS_KEEP_RECORDING";

/// A recorder of this namespace that is ready.
struct Recorder {
    process: Background,
    file: PathBuf,
}

impl Recorder {
    fn start(file: &Path, arguments: &[&str]) -> Recorder {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.yaml"), include_str!("../e2e/base.yaml")).expect("writing");
        let mut command = Command::new(BINARY);
        command.env_clear().args(["record", "--config", "config.yaml", "--output"]).arg(file).args(arguments);
        let mut process = Background::start("the recorder", &mut command, folder);
        process.wait_until("ready", |process| process.stderr().contains(" recording "));
        Recorder { process, file: file.to_owned() }
    }

    /// Waits for its end. Returns the exit code, and the events seen, written and lost.
    fn ended(&mut self) -> (Option<i32>, [u64; 3]) {
        let code = self.process.exit_code(STOP);
        let said = self.process.stderr();
        let summary = said.lines().find(|line| line.contains(" events seen, ")).expect("a summary");
        let numbers = summary.split(", ").map(|part| part.split(' ').next().expect("a number").parse());
        let numbers: Result<Vec<u64>, _> = numbers.collect();
        let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
        (code, numbers.unwrap_or_else(|| panic!("{summary}")))
    }
}

/// Replays a file. Returns what it prints, how many events it received, and how many are missing by the recording.
fn replay(file: &Path) -> (Telemetry, u64, u64) {
    let mut agent = Agent::replaying(&format!("receivers: {{ replay: {{ file: '{}' }} }}", file.display()));
    let books = agent.ended();
    (debug_output::parse(&agent.0.stdout()), books.received(), books.unobserved())
}

/// A recorder and an agent run side by side. The replay gives what the agent counted, and what the kernel counted.
pub fn replayed_equals_the_kernel(mib: usize) {
    isolated(move || {
        let folder = tempfile::tempdir().expect("a folder");
        let mut recorder = Recorder::start(&folder.path().join("recording.otr"), &[]);
        let agent = Agent::start("");
        let traffic = lossy_transfers(mib, &[]);
        let live = agent.finish();
        recorder.process.signal(Signal::INT);
        let (code, [seen, written, lost]) = recorder.ended();
        // Only events whose program was already running may be lost. They are rare.
        assert!(code == Some(0) && seen == written + lost && lost * 100 <= seen, "{seen} {written} {lost}");

        let recorded = Recorded::of(traffic.retrans_segs, &live.printed);
        if let Some(keep) = std::env::var_os(KEEP).filter(|_| mib == 8) {
            fs::copy(&recorder.file, Path::new(&keep).with_extension("otr")).expect("keeping the recording");
            recorded.write(&Path::new(&keep).with_extension("json"));
        }
        let mut agent =
            Agent::replaying(&format!("receivers: {{ replay: {{ file: '{}' }} }}", recorder.file.display()));
        let books = agent.ended();
        assert_eq!((books.received(), books.unobserved()), (written, lost));
        let printed = debug_output::parse(&agent.0.stdout());
        live.books.assert_nothing_lost();
        printed.assert_counted(&live.books, traffic.retrans_segs, &traffic.connections);
        recorded.assert_same(&printed);
    });
}

pub fn on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder"); // removed outside of the namespace: not mounted
    let place = folder.path().to_owned();
    isolated(move || {
        without_gso(); // for more events
        let (tmpfs, size) = (Some("tmpfs"), Some("size=128k"));
        mount(tmpfs, &place, tmpfs, MsFlags::empty(), size).expect("a small disk");
        let mut recorder = Recorder::start(&place.join("recording.otr"), &[]);
        lossy_transfers(8, &[]);
        let (code, [seen, written, lost]) = recorder.ended(); // by itself
        assert_eq!((code, seen), (Some(1), written + lost));
        assert!(written > 500 && lost > 0, "{written} {lost}");
        let said = recorder.process.stderr();
        let end =
            format!("No space left on device (os error 28); the {written} events before that can be read");
        assert!(said.contains(&end), "{said}");
        let (_, received, _) = replay(&recorder.file);
        assert_eq!(received, written);
    });
}

pub fn ends_in_time() {
    isolated(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("recording.otr");
        fs::write(&file, "an older one").expect("writing");
        let mut recorder = Recorder::start(&file, &["--force", "--duration", "300ms"]);
        assert_eq!(recorder.ended(), (Some(0), [0, 0, 0]));
        let (printed, received, unobserved) = replay(&file);
        assert_eq!((printed.records.len(), received, unobserved), (0, 0, 0));
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing else is left");
    });
}
