//! The skeleton that build.rs generates from bpf/, and the wire types in it.

// Generated code: our lints are for code that people write.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    clippy::expect_used
)]

include!(concat!(env!("OUT_DIR"), "/tcpretrans.skel.rs"));
