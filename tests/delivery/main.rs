//! Delivery under faults: the real binary sends to a backend that answers by script, stops, or hangs, and is itself killed.
//! Each record has an id, so that the backend knows which ones it has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod killed;
mod memory;
mod outages;
mod overload;
mod own_logs;
mod reload;
mod run;
mod steady;
mod storage;
mod tokens;
