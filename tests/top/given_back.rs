//! However the screen ends, the terminal is as it was.

use std::time::Duration;

use otel_tcpretrans_terminal::top::{By, Look, Options, Top, Watched};
use rustix::process::Signal;

use crate::e2e::harness::repository;
use crate::e2e::support::namespace::wait_for;
use crate::tmux::Tmux;

/// Variable that makes this test's own program show a screen and panic.
pub const PANICS: &str = "OTEL_TCPRETRANS_TEST_PANICS";

/// A screen that is shown.
fn shown() -> Tmux {
    let tmux = Tmux::start(80, 24);
    let recording = repository().join("tests/replay/retransmits.otr");
    std::os::unix::fs::symlink(recording, tmux.file("recording.otr")).expect("a link");
    tmux.enter("./program top --replay recording.otr; echo code=$?");
    tmux.wait_until("the screen", |screen| screen.contains("ended"));
    assert!(!tmux.is_given_back());
    tmux
}

fn assert_ended(tmux: &Tmux) {
    let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
    assert!(screen.contains("\ncode=0\n"), "{screen}");
    assert!(screen.contains("echo code=$?") && !screen.contains("segments"), "{screen}");
    tmux.assert_given_back();
}

pub fn by_key(key: &str) {
    let tmux = shown();
    tmux.keys(&[key]);
    assert_ended(&tmux);
}

pub fn by_signal(signal: Signal) {
    let tmux = shown();
    tmux.signal(signal);
    assert_ended(&tmux);
}

/// By Ctrl-Z, or by a signal.
pub fn suspended(signal: Option<Signal>) {
    let tmux = shown();
    match signal {
        Some(signal) => tmux.signal(signal),
        None => tmux.keys(&["C-z"]),
    }
    tmux.wait_until("the shell", |screen| screen.contains("Stopped"));
    tmux.assert_given_back();
    tmux.enter("fg");
    tmux.wait_until("the screen again", |screen| screen.contains("1,605 segments"));
    assert!(!tmux.is_given_back());
    tmux.keys(&["j", "q"]);
    wait_for("the end", Duration::from_secs(10), || tmux.is_given_back());
    tmux.assert_given_back();
}

pub fn by_a_panic() {
    let tmux = Tmux::start(80, 24);
    let program = std::env::current_exe().expect("a path");
    std::os::unix::fs::symlink(program, tmux.file("panics")).expect("a link");
    tmux.enter(&format!("{PANICS}=1 ./panics; echo code=$?"));
    let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
    assert!(screen.contains("a panic beside a screen") && screen.contains("\ncode=101\n"), "{screen}");
    tmux.assert_given_back();
}

/// Shows the real screen, and panics on another thread when it has the terminal.
pub fn panic_beside_a_screen() -> ! {
    let look = Look { unicode: true, colours: true };
    let top = Top::new(Options { by: By::Peer, max_rows: 10, look }, None).expect("signals");
    let watched = Watched::Recording("none".to_owned());
    let _shown = top.show(watched, Default::default(), Default::default()).expect("a screen");
    wait_for("the screen", Duration::from_secs(10), || top.taken().is_taken());
    panic!("a panic beside a screen");
}
