//! What the tests of the real binary share: the agent, what it prints, and the checks of both.

pub mod agent;
pub mod background;
pub mod books;
pub mod debug_output;
/// Shared with the tests without privileges.
#[path = "../cli/harness.rs"]
pub mod harness;
pub mod notified;
pub mod page;
pub mod recorded;
pub mod scrape;
pub mod status;
/// Shared with the receiver's own tests.
#[path = "../../crates/source-tcpretrans/tests/support/mod.rs"]
pub mod support;
pub mod telemetry;
pub mod traffic;
