//! The audit of a real agent: in a storm over four namespaces it finds no difference, at every interval.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::e2e::agent::Agent;
use crate::e2e::background::Background;
use crate::e2e::scrape::{PORT, Scrape};
use crate::e2e::support::hidden::{Hidden, Recorder};
use crate::e2e::support::namespace::{isolated, retrans_segs, wait_for, without_gso};
use crate::e2e::traffic::storm;

const NAMESPACES: usize = 4;
/// What `storm` sends in each of its flows, in MiB.
const MIB: usize = 3;

/// What a namespace had when its storm was over: RetransSegs, and what the machine hid.
type End = (u64, Hidden);

pub fn finds_no_difference_in_a_storm() {
    isolated(|| {
        let mut agent = Agent::start(&format!(
            "receivers: {{ tcpretrans: {{ scope: host }}, tcp_stats: {{ interval: 200ms }} }}
service:
  telemetry: {{ metrics: {{ prometheus: '127.0.0.1:{PORT}' }} }}
  pipelines: {{ metrics: {{ receivers: [tcpretrans, tcp_stats], processors: [aggregate], exporters: [debug] }} }}"
        ));
        let (begin, ends): (Vec<_>, Vec<_>) = (0..NAMESPACES).map(|_| namespace()).unzip();
        let audited = || Scrape::take().sum("otelcol_tcpretrans_audited_namespaces", &[]);
        // Beside these four there are its own and that of the test.
        wait_for("the namespaces", Duration::from_secs(20), || audited() as usize > NAMESPACES + 1);
        drop(begin); // now they begin

        let (mut differences, mut audits) = (Vec::new(), 0);
        let started = Instant::now();
        let mut over: Vec<End> = Vec::new();
        while over.len() < NAMESPACES || audits < 10 {
            assert!(started.elapsed() < Duration::from_secs(120), "the storm does not end");
            thread::sleep(Duration::from_millis(200)); // an interval of the audit
            let scrape = Scrape::take();
            differences.push(scrape.sum("otelcol_tcpretrans_audit_difference", &[]));
            audits += 1;
            over.extend(ends.iter().filter_map(|end| end.try_recv().ok()));
        }
        let retrans: u64 = over.iter().map(|(retrans, _)| retrans).sum();
        let hidden: u64 = over.iter().map(|(_, hidden)| hidden.segments).sum();
        println!(
            "    {retrans} segments sent again; {audits} audits, differences {differences:?}; hidden {hidden}"
        );
        assert!(retrans > 1000, "{retrans}");
        assert!(differences.iter().all(|difference| *difference <= hidden), "{differences:?}");
        agent.0.signal(Signal::TERM);
        assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));
    });
}

/// A namespace with a process, which makes it seen. It has its storm when what is returned first is dropped, and says on the
/// other how that ended.
fn namespace() -> (mpsc::Sender<()>, mpsc::Receiver<End>) {
    let (begin, begins) = mpsc::channel::<()>();
    let (end, ends) = mpsc::channel();
    thread::spawn(move || {
        isolated(move || {
            without_gso();
            let folder = tempfile::tempdir().expect("a folder");
            let _process = Background::start("sleep", Command::new("sleep").arg("1000"), folder);
            let recorder = Recorder::start().ok();
            let _ = begins.recv(); // it is dropped
            storm(MIB);
            let hidden = recorder.map(|recorder| recorder.hidden().expect("the trace")).unwrap_or_default();
            end.send((retrans_segs(), hidden)).expect("the test");
            thread::sleep(Duration::from_secs(2)); // some more audits
        });
    });
    (begin, ends)
}
