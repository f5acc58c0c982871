//! `man`: makes the manual pages, one per command and one about the configuration, from the definition of the command
//! line. The same version makes the same bytes each time.

mod configuration;
mod page;
mod program;

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use page::Page;

/// Prints the main page, or writes all pages into a folder, which is created if it is missing.
pub(crate) fn run(output: Option<&Path>) -> anyhow::Result<()> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    let Some(folder) = output else { return super::print(&program::main(&cli)?.text) };
    fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))?;
    for page in all(&cli)? {
        let path = folder.join(page.file);
        fs::write(&path, page.text).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

fn all(cli: &Command) -> anyhow::Result<Vec<Page>> {
    let mut pages = vec![program::main(cli)?, configuration::page()?];
    for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages.push(program::of_command(command)?);
    }
    Ok(pages)
}
