//! The service under systemd, as far as it can be tried without a running systemd: the unit by systemd's own tools, and
//! the messages to a service manager.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)] // a test that can't go on fails

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../cli/harness.rs"]
mod harness;
mod unit;
