//! otel-tcpretrans: TCP retransmissions as OpenTelemetry metrics and logs.

mod access;
mod balance;
mod cli;
mod commands;
mod components;
mod config;
mod exit;
mod extensions;
mod factory;
mod journal;
mod logs;
mod manager;
mod plan;
mod recent;
mod reload;
mod sandbox;
mod service;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};

fn main() -> ExitCode {
    otel_tcpretrans_source::resolve_without_plugins();
    otel_tcpretrans_source::use_one_heap();
    let result = match Cli::parse().command {
        Command::Run { sources, log_format } => commands::run::run(&sources, log_format),
        Command::Validate { sources } => commands::validate::run(&sources),
        Command::PrintConfig { sources } => commands::print_config::run(&sources),
        Command::Trace(args) => commands::trace::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Record(args) => commands::record::run(&args),
        Command::Top(args) => commands::top::run(&args),
        Command::Components => commands::components::run(),
        Command::Check(args) => commands::check::run(&args),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Man { output } => commands::man::run(output.as_deref()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The text of a library's error includes its causes. The error is printed in any case: also if RUST_LOG
            // leaves it out, as `h2=debug` does, and if the log has not been started yet.
            if tracing::enabled!(tracing::Level::ERROR) {
                tracing::error!("{error}");
            } else {
                logs::say(&error);
            }
            exit::code(&error)
        }
    }
}
