//! `completions`: prints a script with which a shell completes the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

pub(crate) fn run(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    if shell == Shell::Bash {
        // clap_complete spells a name with a hyphen in two ways here, so that it would complete nothing after a command
        // (https://github.com/clap-rs/clap/issues/6421, open with 4.6.12).
        let text = String::from_utf8(script)?;
        script = text.replace("otel__subcmd__tcpretrans", "otel__tcpretrans").into_bytes();
    }
    super::print(&script)
}
