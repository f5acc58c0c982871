//! `top --connect`: the records of a running agent.

use rustix::process::Signal;

use crate::e2e::agent::Agent;
use crate::e2e::support::namespace::{isolated, retrans_segs};
use crate::e2e::traffic::lossy_transfers;
use crate::live::{line, numbers, shows_a_unit};
use crate::tmux::Tmux;

/// The port of the agent's page, at which `top` has a connection.
const ZPAGES: u16 = 55679;
const PAGE: &str = "
extensions: { zpages: }
service: { extensions: [zpages] }
";
/// The pipeline `logs` names units.
const NAMED: &str = "
processors: { cgroup: }
extensions: { zpages: }
service: { extensions: [zpages], pipelines: { logs: { processors: [cgroup] } } }
";

/// Waits until `top` shows the agent's records.
fn connected(tmux: &Tmux) {
    tmux.wait_until("the agent", |screen| screen.contains("  agent localhost:55679, "));
}

/// Waits until the screen shows so many segments.
fn shows(tmux: &Tmux, segments: u64) -> String {
    tmux.wait_until("all segments", |screen| {
        screen.lines().any(|line| line.contains(" segments ") && numbers(line)[0] == segments)
    })
}

/// The screen shows what the kernel has counted since `top` is connected, and so do the agent's books.
pub fn equals_the_kernel() {
    isolated(|| {
        let agent = Agent::start(PAGE);
        let before = lossy_transfers(2, &[ZPAGES]).retrans_segs;
        let tmux = Tmux::start(80, 24);
        tmux.enter("./program top --connect localhost");
        connected(&tmux);
        let kernel = lossy_transfers(16, &[ZPAGES]).retrans_segs - before;
        assert!(kernel > 100, "no loss: {kernel}");
        let screen = shows(&tmux, kernel);
        assert_eq!(retrans_segs(), before + kernel, "the kernel went on counting");
        assert_eq!(numbers(line(&screen, " events lost ")), [0, 0]);
        let rows = ["127.0.0.1", "::1"].map(|peer| numbers(line(&screen, peer)));
        assert_eq!(rows.iter().map(|row| row[0]).sum::<u64>(), kernel, "{screen}");
        tmux.keys(&["q"]);
        tmux.assert_given_back();
        let finished = agent.finish();
        assert_eq!(finished.printed.segments(), before + kernel);
    });
}

/// What the agent's processors have found is there.
pub fn names_the_workload() {
    isolated(|| {
        let _agent = Agent::start(NAMED);
        let tmux = Tmux::start(80, 24);
        tmux.enter("./program top --connect http://localhost:55679/ --pipeline logs --by workload");
        connected(&tmux);
        shows_a_unit(&tmux);
    });
}

/// An agent that comes back is shown again.
pub fn connects_again() {
    isolated(|| {
        let mut agent = Agent::start(PAGE);
        let tmux = Tmux::start(100, 24);
        tmux.enter("./program top --connect 127.0.0.1:55679");
        tmux.wait_until("the agent", |screen| screen.contains("  agent 127.0.0.1:55679, "));
        let first = lossy_transfers(4, &[ZPAGES]).retrans_segs;
        shows(&tmux, first);
        agent.stop(Signal::TERM);
        tmux.wait_until("that it is gone", |screen| screen.contains("the agent is gone, connecting again"));
        let _agent = Agent::start(PAGE);
        tmux.wait_until("that it is back", |screen| screen.contains("the agent was gone for "));
        let all = lossy_transfers(4, &[ZPAGES]).retrans_segs;
        assert!(all > first, "no loss");
        shows(&tmux, all);
    });
}

/// Without an agent, or without the pipeline, a message says so.
pub fn without_it() {
    isolated(|| {
        let tmux = Tmux::start(120, 24);
        tmux.enter("./program top --connect localhost; echo code=$?");
        let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
        assert!(screen.contains("\ncode=1\n") && screen.contains("Connection refused"), "{screen}");
        assert!(screen.contains("is `zpages` in the agent's"), "{screen}");
        tmux.assert_given_back();

        let _agent = Agent::start(PAGE);
        tmux.enter("clear; ./program trace --connect localhost --pipeline traces; echo code=$?");
        let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
        assert!(
            screen.contains("\ncode=1\n") && screen.contains("expected one of: logs, metrics"),
            "{screen}"
        );
    });
}

/// A line per record, as `trace` has them of the kernel.
pub fn traces() {
    isolated(|| {
        let agent = Agent::start(PAGE);
        let tmux = Tmux::start(120, 24);
        tmux.enter("./program trace --connect localhost --summary peer");
        tmux.wait_until("the heading", |screen| screen.contains("TIME"));
        let kernel = lossy_transfers(4, &[ZPAGES]).retrans_segs;
        let printed = agent.finish().printed;
        assert_eq!(printed.segments(), kernel);
        tmux.wait_until("that it is gone", |screen| screen.contains("the agent is gone, connecting again"));
        tmux.keys(&["C-c"]);
        let end = format!("retransmissions with {kernel} segments, 0 gaps; nothing was lost");
        tmux.wait_until("the summary", |screen| screen.contains(&end));
    });
}
