//! What the real binary listens on: health, the page in a real browser, and what slow and hostile clients can't do. Each
//! test has a network namespace of its own, so that it can use the default ports; this needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod browser;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod health;
mod hostile;
mod loopback;
mod pages;
mod report;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../delivery/run.rs"]
mod run;

use std::process::ExitCode;

use e2e::support::harness::Case;

fn main() -> ExitCode {
    let cases: &[Case] = &[
        ("health_follows_the_backend_and_the_life_of_the_process", health::follows_the_backend),
        ("a_process_that_starts_is_live_and_not_ready", health::while_it_starts),
        ("a_reader_that_hangs_is_not_alive", health::a_reader_that_hangs),
        ("a_full_queue_is_unhealthy", health::a_full_queue),
        ("a_browser_sees_what_is_at_metrics", pages::a_browser_sees_what_is_at_metrics),
        ("a_browser_shows_the_report_of_a_recording", report::a_browser_shows_it),
        ("by_default_it_listens_on_loopback_alone", loopback::by_default),
        ("hostile_clients_change_nothing", hostile::change_nothing),
    ];
    e2e::support::harness::main(cases)
}
