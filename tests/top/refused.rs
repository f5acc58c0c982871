//! Where no screen can be shown, a message says why.

use crate::e2e::harness::Case;
use crate::tmux::Tmux;

pub fn without_a_screen() {
    let outcome = Case::bare(&["top"]).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.contains("is no terminal"), "{}", outcome.stderr);

    let tmux = Tmux::start(80, 24);
    tmux.enter("TERM=dumb ./program top; echo code=$?");
    let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
    assert!(screen.contains("\ncode=2\n") && screen.contains("TERM=dumb"), "{screen}");
    tmux.enter("clear; ./program top | cat; echo done");
    let screen = tmux.wait_until("its end", |screen| screen.contains("\ndone"));
    assert!(screen.contains("the standard output is no terminal"), "{screen}");
}

pub fn without_a_recording() {
    let tmux = Tmux::start(80, 24);
    tmux.enter("./program top --replay absent.otr; echo code=$?");
    let screen = tmux.wait_until("its end", |screen| screen.contains("\ncode="));
    assert!(screen.contains("\ncode=78\n") && screen.contains("No such file"), "{screen}");
    tmux.assert_given_back();
}
