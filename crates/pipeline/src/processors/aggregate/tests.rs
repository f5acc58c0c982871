//! What `aggregate` reports for given records. Each test sets the clocks itself.

#![allow(clippy::unwrap_used)]

mod adding;
mod cap;
mod clock;
mod ends;
mod support;
mod zeros;
