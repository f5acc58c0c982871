//! Loads the configuration that a command line names.

use crate::cli::Sources;
use crate::config::{self, Loaded};
use crate::exit::Refused;
use crate::logs;

/// Loads the configuration, for commands that log its warnings.
pub(super) fn load(sources: &Sources) -> anyhow::Result<Loaded> {
    Ok(config::load(&sources.files, &sources.sets).map_err(Refused)?)
}

/// Loads the configuration and prints its warnings on stderr, for commands that have no log.
pub(super) fn load_and_warn(sources: &Sources) -> anyhow::Result<Loaded> {
    let loaded = load(sources)?;
    for warning in &loaded.warnings {
        logs::say(format_args!("warning: {warning}"));
    }
    Ok(loaded)
}
