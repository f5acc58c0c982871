//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod components;
pub(crate) mod print_config;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod validate;

use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use serde_yaml::Serializer;
use serde_yaml::with::singleton_map_recursive;

use crate::cli::Sources;
use crate::config::{self, Loaded};
use crate::exit::Refused;
use crate::logs;

fn load(sources: &Sources) -> anyhow::Result<Loaded> {
    Ok(config::load(&sources.files, &sources.sets).map_err(Refused)?)
}

/// Prints the warnings of a configuration where there is no log to put them into.
fn load_and_warn(sources: &Sources) -> anyhow::Result<Loaded> {
    let loaded = load(sources)?;
    for warning in &loaded.warnings {
        logs::say(format_args!("warning: {warning}"));
    }
    Ok(loaded)
}

/// Variants with data become a mapping of one key, as everywhere in YAML but in this library's default.
fn print_yaml(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = Vec::new();
    singleton_map_recursive::serialize(value, &mut Serializer::new(&mut text))?;
    match io::stdout().write_all(&text) {
        // Whoever reads has seen enough, `| head -1`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => anyhow::bail!("can't write to the standard output: {error}"),
        Ok(()) => Ok(()),
    }
}
