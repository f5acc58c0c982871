//! Not a bench: prints all results that the benches have left in their file.

#![allow(clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // the benches use more of it
mod report;

fn main() -> std::io::Result<()> {
    report::Report::print()
}
