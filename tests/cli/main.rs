//! The real binary from outside, without privileges: messages and exit codes.

#![allow(clippy::expect_used)] // a test that can't go on fails

mod config_files;
mod generated;
mod harness;
mod kubernetes;
mod layers;
mod output;
mod problems;
mod references;
mod report;
mod trace;
mod usage;
