//! Not a bench: prints all that the others have left in their file, in one go.

#![allow(clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // of the benches, which make sections
mod report;

fn main() -> std::io::Result<()> {
    report::Report::print()
}
