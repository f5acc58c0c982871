//! The dashboards and the alerts against a real Prometheus that scrapes the running binary through a loss, and against
//! VictoriaMetrics that gets the same by OTLP. Needs root for a network namespace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod api;
mod backends;
mod documented;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod live;
mod loss;
mod queries;

use std::process::ExitCode;

fn main() -> ExitCode {
    e2e::support::harness::main(&[(
        "each_panel_shows_a_loss_the_alert_fires_with_it_and_all_is_documented",
        live::each_panel_shows_a_loss_and_the_alert_fires_with_it,
    )])
}
