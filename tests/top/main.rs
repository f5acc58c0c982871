//! `top` on a real terminal (tmux): what it shows, what its keys do, and that the terminal is given back. Needs root, since a
//! part of it watches the real kernel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod agent;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../host/cgroups.rs"]
mod cgroups;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod given_back;
mod keys;
mod live;
mod refused;
mod tmux;

use std::process::ExitCode;

use e2e::support::harness::{Case, main as run};
use rustix::process::Signal;

fn main() -> ExitCode {
    if std::env::var_os(given_back::PANICS).is_some() {
        given_back::panic_beside_a_screen();
    }
    let cases: &[Case] = &[
        ("the_screen_counts_what_the_kernel_counts", live::equals_the_kernel),
        ("a_connection_and_its_owner_are_named", live::names_the_owner),
        ("a_units_workload_is_named", live::names_the_workload),
        ("an_agents_records_equal_the_kernel", agent::equals_the_kernel),
        ("an_agents_records_name_the_workload", agent::names_the_workload),
        ("an_agent_that_comes_back_is_shown_again", agent::connects_again),
        ("without_an_agent_a_message_says_so", agent::without_it),
        ("trace_shows_an_agents_records", agent::traces),
        ("warnings_do_not_spoil_the_screen", live::keeps_warnings_off_the_screen),
        ("rows_are_sorted_filtered_and_opened", keys::sort_filter_open),
        ("a_paused_screen_stands_still", live::pauses),
        ("the_help_is_shown_and_left", keys::help),
        ("a_small_screen_has_what_matters", keys::resize),
        ("a_terminal_without_utf8_gets_ascii", keys::ascii),
        ("q_gives_the_terminal_back", || given_back::by_key("q")),
        ("ctrl_c_gives_the_terminal_back", || given_back::by_key("C-c")),
        ("sigterm_gives_the_terminal_back", || given_back::by_signal(Signal::TERM)),
        ("sighup_gives_the_terminal_back", || given_back::by_signal(Signal::HUP)),
        ("sigquit_gives_the_terminal_back", || given_back::by_signal(Signal::QUIT)),
        ("ctrl_z_suspends_and_fg_comes_back", || given_back::suspended(None)),
        ("sigtstp_suspends_and_fg_comes_back", || given_back::suspended(Some(Signal::TSTP))),
        ("a_panic_gives_the_terminal_back", given_back::by_a_panic),
        ("a_receiver_that_does_not_start_leaves_the_terminal_alone", refused::without_a_recording),
        ("without_a_screen_it_exits_with_2", refused::without_a_screen),
    ];
    run(cases)
}
