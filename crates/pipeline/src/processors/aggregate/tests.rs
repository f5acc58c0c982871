//! What `aggregate` reports of which records. The clocks are the test's.

#![allow(clippy::unwrap_used)]

mod adding;
mod cap;
mod clock;
mod ends;
mod support;
mod zeros;
