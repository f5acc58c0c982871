//! `validate`: loads a configuration and says what is wrong with it.

use crate::cli::Sources;
use crate::logs;

pub(crate) fn run(sources: &Sources) -> anyhow::Result<()> {
    super::load_and_warn(sources)?;
    logs::say("the configuration is valid");
    Ok(())
}
