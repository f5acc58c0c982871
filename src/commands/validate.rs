//! `validate`: loads a configuration and says what is wrong with it.

use crate::cli::Sources;

pub(crate) fn run(sources: &Sources) -> anyhow::Result<()> {
    super::load_and_warn(sources)?;
    eprintln!("the configuration is valid");
    Ok(())
}
