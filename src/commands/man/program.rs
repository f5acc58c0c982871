//! The pages of the program and of its commands, in section 1.

use clap::Command;
use clap_mangen::Man;

use super::configuration;
use super::page::{Page, SOURCE, section, see_also};

const PROGRAM: &str = env!("CARGO_PKG_NAME");

const SIGNALS: &[(&str, &str)] = &[
    ("SIGTERM, SIGINT", "Stop: what is on its way is sent first, within service.shutdown_timeout."),
    (
        "SIGHUP",
        "Of run: read the configuration again. If it has a problem, nothing changes. The other commands stop.",
    ),
];

const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Success."),
    ("1", "Failure while running."),
    ("2", "Wrong usage of the command line."),
    ("77", "A privilege or a feature of the kernel is missing."),
    ("78", "The configuration has a problem."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "OTEL_TCPRETRANS__A__B",
        "The value of the key a.b of the configuration, in YAML. It wins over all files.",
    ),
    (
        "OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES",
        "As the OpenTelemetry specification says, where the configuration is silent.",
    ),
    ("RUST_LOG", "Which lines the log on stderr has, in place of service.telemetry.logs.level."),
];

const FILES: &[(&str, &str)] = &[
    ("/etc/otel-tcpretrans/config.yaml", "The configuration of the service."),
    ("/etc/default/otel-tcpretrans", "Environment variables of the service, one NAME=VALUE per line."),
    ("/var/lib/otel-tcpretrans/", "Queues on disk, if the configuration has the extension file_storage."),
];

/// `otel-tcpretrans(1)`.
pub(super) fn main(cli: &Command) -> anyhow::Result<Page> {
    let man = man(cli);
    let mut text = opening(&man)?;
    man.render_options_section(&mut text)?;
    man.render_subcommands_section(&mut text)?;
    section(&mut text, "SIGNALS", SIGNALS)?;
    section(&mut text, "EXIT STATUS", EXIT_STATUS)?;
    section(&mut text, "ENVIRONMENT", ENVIRONMENT)?;
    section(&mut text, "FILES", FILES)?;
    let commands = cli.get_subcommands().filter_map(Command::get_display_name);
    let mut also: Vec<_> = commands.map(|name| (name, "1")).collect();
    also.push((configuration::NAME, configuration::SECTION));
    see_also(&mut text, &also)?;
    Ok(Page { file: man.get_filename(), text })
}

/// The page of a command, such as `otel-tcpretrans-run(1)`.
pub(super) fn of_command(command: &Command) -> anyhow::Result<Page> {
    let man = man(command);
    let mut text = opening(&man)?;
    man.render_options_section(&mut text)?;
    section(&mut text, "EXIT STATUS", EXIT_STATUS)?;
    see_also(&mut text, &[(PROGRAM, "1"), (configuration::NAME, configuration::SECTION)])?;
    Ok(Page { file: man.get_filename(), text })
}

fn man(command: &Command) -> Man {
    Man::new(command.clone()).source(SOURCE).manual("User Commands")
}

fn opening(man: &Man) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    Ok(text)
}
