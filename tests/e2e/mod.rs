//! What the tests with the real binary on the real kernel share: the agent, what it says, and what must hold of it.

pub mod agent;
pub mod background;
pub mod books;
pub mod debug_output;
/// Of the tests without privileges.
#[path = "../cli/harness.rs"]
pub mod harness;
pub mod recorded;
pub mod scrape;
/// Of the receiver's own tests.
#[path = "../../crates/source-tcpretrans/tests/support/mod.rs"]
pub mod support;
pub mod telemetry;
pub mod traffic;
