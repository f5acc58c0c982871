//! Prints what a command makes on the standard output.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use serde_yaml::Serializer;
use serde_yaml::with::singleton_map_recursive;

/// Prints a value as YAML. An enum's variant with data becomes a mapping with one key, as in all other YAML files.
/// serde_yaml would write a tag.
pub(super) fn print_yaml(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = Vec::new();
    singleton_map_recursive::serialize(value, &mut Serializer::new(&mut text))?;
    print(&text)
}

/// Prints a text.
pub(super) fn print(text: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(text) {
        // The reader has closed the pipe, as `head -1` does when it has read a line.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => anyhow::bail!("can't write to the standard output: {error}"),
        Ok(()) => Ok(()),
    }
}
