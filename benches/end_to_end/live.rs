//! The part `live`: an agent on the real kernel, under a storm of retransmissions. An older build takes its turns under the
//! same storm.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::thread::{CapabilitySet, capabilities};

use crate::agent::{self, Build, Builds};
use crate::cpu;
use crate::e2e::agent::log;
use crate::e2e::support::namespace::isolated;
use crate::helper::Helper;
use crate::report::{Limit, Section, median};
use crate::rows::{config, logs, metrics};
use crate::storm::Storm;

const ROUNDS: usize = 5;
/// With so many flows some connection always has something to send again. On two CPUs this makes about 30,000 events a
/// second. BBR would pace its connections, and make fewer.
const FLOWS: usize = 128;
/// How long an agent runs before its wakeups are counted, and how long they are counted.
const SETTLE: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(4);
/// How much of the older build's cost the new one may have.
const OLD_RATIO: f64 = 0.25;

/// Samples of one build, one from each round.
#[derive(Default)]
struct Samples {
    /// Per million events.
    cpu_seconds: Vec<f64>,
    /// Times that a thread waited, per second.
    wakeups: Vec<f64>,
    /// Events per second.
    rate: Vec<f64>,
    /// Events that were not observed, of 100.
    unobserved: Vec<f64>,
}

pub fn measure(builds: &Builds) {
    if !capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN)) {
        return eprintln!("end_to_end: live: needs root (namespaces, BPF); it is left out");
    }
    // The storm has a network namespace of its own. The agents do not, since what they send would suffer from the
    // storm's link, too. They report all namespaces.
    let (started, start) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let storm = thread::spawn(|| {
        isolated(move || {
            let _storm = Storm::start(FLOWS, "cubic").expect("the storm");
            started.send(()).expect("the bench waits for it");
            let _ = ends.recv(); // the bench drops its end
        });
    });
    start.recv().expect("the storm");
    let (mut new, mut old) = (Samples::default(), Samples::default());
    for round in 1..=ROUNDS {
        eprintln!("end_to_end: live, round {round} of {ROUNDS}");
        for (build, binary) in builds.all() {
            run(binary, if build == Build::New { &mut new } else { &mut old });
        }
    }
    drop(end);
    storm.join().expect("the storm's end");
    report(&new, &old);
}

fn run(binary: &Path, samples: &mut Samples) {
    let sink = Helper::sink(Duration::ZERO);
    let otlp = format!("otlp: {{ endpoint: 'http://127.0.0.1:{}', compression: none }}", sink.port);
    let pipelines = metrics("tcpretrans", "otlp") + &logs("tcpretrans", "batch", "otlp");
    let mut agent = agent::start(binary, &config("tcpretrans:", "aggregate: , batch:", &otlp, &pipelines));
    agent.wait_until("ready", |agent| {
        log(agent).iter().any(|line| line["message"].as_str().is_some_and(|message| message == "ready"))
    });
    let (ready, seconds) = (Instant::now(), cpu::seconds(agent.pid()));
    thread::sleep(SETTLE);
    let (begin, waits) = (Instant::now(), cpu::waits(agent.pid()));
    thread::sleep(WINDOW);
    samples.wakeups.push((cpu::waits(agent.pid()) - waits) as f64 / begin.elapsed().as_secs_f64());
    agent.signal(Signal::TERM);
    let time = ready.elapsed().as_secs_f64();
    let ended = agent::ended(agent);
    let (received, unobserved) = (ended.books.received() as f64, ended.books.unobserved() as f64);
    samples.cpu_seconds.push((ended.cpu_seconds - seconds) / (received / 1e6));
    samples.rate.push(received / time);
    samples.unobserved.push(100.0 * unobserved / (received + unobserved));
}

fn report(new: &Samples, old: &Samples) {
    let title = "Live: a storm of retransmissions -> both pipelines, otlp none";
    let mut section = Section::new(title, &["old build", "old / new"]);
    type Of = fn(&Samples) -> &Vec<f64>;
    let rows: [(&str, &str, Of); 4] = [
        ("CPU seconds per million events", "CPU s", |samples| &samples.cpu_seconds),
        ("wakeups per second (voluntary context switches)", "1/s", |samples| &samples.wakeups),
        ("events per second", "1/s", |samples| &samples.rate),
        ("events that were not observed", "%", |samples| &samples.unobserved),
    ];
    let has_old = !old.rate.is_empty();
    for (name, unit, of) in rows {
        let before = has_old.then(|| median(of(old)));
        let ratio = before.map(|before| before / median(of(new))).filter(|ratio| ratio.is_finite());
        section.row(name, unit, of(new), &[before, ratio]);
    }
    if has_old {
        let ratio = median(&new.cpu_seconds) / median(&old.cpu_seconds);
        section.bound("CPU seconds / the old build's", ratio, Limit::AtMost(OLD_RATIO), "");
    }
    section.finish("live").expect("writing the results");
}
