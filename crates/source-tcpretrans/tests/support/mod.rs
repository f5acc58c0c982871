//! What the tests on a real kernel stand on: namespaces of their own, lossy loopback traffic, the kernel's own counts.

pub mod harness;
pub mod hidden;
mod link;
pub mod namespace;
pub mod syns;
pub mod traffic;
