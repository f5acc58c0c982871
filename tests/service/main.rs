//! The service under systemd, as far as it can be tried without a running systemd: the unit by systemd's own tools, and
//! the messages to a service manager.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)] // a test that can't go on fails

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod notify;
mod unit;
