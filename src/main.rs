//! otel-tcpretrans: TCP retransmissions as OpenTelemetry metrics and logs.

mod balance;
mod cli;
mod commands;
mod components;
mod config;
mod exit;
mod factory;
mod logs;
mod plan;
mod service;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run { sources, log_format } => commands::run::run(&sources, log_format),
        Command::Validate { sources } => commands::validate::run(&sources),
        Command::PrintConfig { sources } => commands::print_config::run(&sources),
        Command::Record(args) => commands::record::run(&args),
        Command::Components => commands::components::run(),
        Command::Check => commands::check::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Errors of the libraries hold their causes in their own text. Why the process ends is said also where RUST_LOG
            // asks for something else, `h2=debug`, and before there is a log.
            if tracing::enabled!(tracing::Level::ERROR) {
                tracing::error!("{error}");
            } else {
                logs::say(&error);
            }
            exit::code(&error)
        }
    }
}
