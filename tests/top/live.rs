//! The screen on the real kernel.

use crate::cgroups::{Cgroup, root};
use crate::e2e::support::namespace::{isolated, retrans_segs};
use crate::e2e::support::traffic::{listen, loopback, lose_one_in, lossy_transfer};
use crate::e2e::traffic::lossy_transfers;
use crate::tmux::Tmux;

/// Watches this namespace alone: other tests may run on this machine.
const TOP: &str = "./program top --scope netns";

/// The numbers of a line, in their order.
pub fn numbers(line: &str) -> Vec<u64> {
    let words = line.split_whitespace().map(|word| word.trim_end_matches(',').replace(',', ""));
    words.filter_map(|word| word.parse().ok()).collect()
}

pub fn line<'s>(screen: &'s str, part: &str) -> &'s str {
    screen.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}: {screen}"))
}

/// What the screen shows equals RetransSegs, and so does the sum of its rows.
pub fn equals_the_kernel() {
    isolated(|| {
        let tmux = Tmux::start(80, 24);
        tmux.enter(TOP);
        tmux.wait_until("the screen", |screen| screen.contains("in this namespace: equal"));
        let kernel = lossy_transfers(16, &[]).retrans_segs;
        assert!(kernel > 100, "no loss: {kernel}");
        // A socket that ends tells the last of it.
        let screen = tmux.wait_until("equal counts", |screen| {
            screen.lines().any(|line| {
                line.starts_with("kernel ") && numbers(line) == [kernel, kernel] && line.ends_with("equal")
            })
        });
        assert_eq!(retrans_segs(), kernel, "the kernel went on counting");
        assert_eq!(numbers(line(&screen, " segments "))[0], kernel);
        assert_eq!(numbers(line(&screen, " events lost ")), [0, 0]);
        // Two peers: IPv4 and IPv6.
        let rows = ["127.0.0.1", "::1"].map(|peer| numbers(line(&screen, peer)));
        assert_eq!(rows.iter().map(|row| row[0]).sum::<u64>(), kernel, "{screen}");
    });
}

/// The process of a unit connects to where no SYN is taken. Waits until the screen has the unit.
pub fn shows_a_unit(tmux: &Tmux) {
    let localhost = loopback(false);
    let (listener, port) = listen(localhost);
    lose_one_in(&listener, 1);
    let around = Cgroup::new(&root().join(format!("tcpretrans-top-{}", std::process::id())));
    let unit = Cgroup::new(&around.0.join("backup.service"));
    let connecting = unit.connect(localhost, port);
    tmux.wait_until("its unit", |screen| screen.contains("\nbackup.service "));
    drop(connecting);
}

pub fn names_the_workload() {
    isolated(|| {
        let tmux = Tmux::start(80, 24);
        tmux.enter(&format!("{TOP} --by workload"));
        tmux.wait_until("the screen", |screen| screen.contains("in this namespace"));
        shows_a_unit(&tmux);
    });
}

pub fn names_the_owner() {
    isolated(|| {
        let tmux = Tmux::start(100, 24);
        tmux.enter(&format!("{TOP} --by connection"));
        tmux.wait_until("the screen", |screen| screen.contains("in this namespace"));
        let connection = lossy_transfer(loopback(false), loopback(false), 8 << 20);
        let name = format!("{} > {}", connection.client, connection.server);
        let screen = tmux.wait_until("the connection", |screen| screen.contains(&name));
        assert!(line(&screen, &name).contains('%'), "{screen}");
        tmux.keys(&["2"]);
        let owner = format!("{} top-", std::process::id());
        tmux.wait_until("its owner", |screen| screen.contains("OWNER") && screen.contains(&owner));
    });
}

pub fn pauses() {
    isolated(|| {
        let tmux = Tmux::start(80, 24);
        tmux.enter(TOP);
        tmux.wait_until("the screen", |screen| screen.contains("in this namespace: equal"));
        tmux.keys(&["Space"]);
        tmux.wait_until("a pause", |screen| screen.contains("PAUSED"));
        let kernel = lossy_transfers(8, &[]).retrans_segs;
        tmux.keys(&["2"]);
        let still = tmux.wait_until("it is drawn again", |screen| screen.contains("by owner"));
        assert_eq!(numbers(line(&still, " segments "))[0], 0, "{still}");
        tmux.keys(&["Space"]);
        tmux.wait_until("what came meanwhile", |screen| {
            !screen.contains("PAUSED") && numbers(line(screen, " segments "))[0] == kernel
        });
    });
}

pub fn keeps_warnings_off_the_screen() {
    isolated(|| {
        let tmux = Tmux::start(80, 24);
        // Its log is all that is logged, on the same terminal.
        tmux.enter(&format!("RUST_LOG=debug {TOP}"));
        let screen = tmux.wait_until("the screen", |screen| screen.contains("in this namespace: equal"));
        assert!(!screen.contains("INFO") && !screen.contains("DEBUG"), "{screen}");
        tmux.keys(&["q"]);
        tmux.wait_until("the log of the end", |screen| screen.contains("INFO"));
    });
}
