//! What `top` shows, and what keys change in it. It draws into a buffer and knows no terminal.

mod columns;
mod events;
mod facts;
mod header;
mod help;
mod keys;
mod look;
mod numbers;
mod page;
mod paint;
mod screen;
mod state;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use facts::{Compared, Facts, Source, Verdict};
pub(crate) use keys::{Asked, press};
pub use look::Look;
pub(crate) use screen::draw;
pub(crate) use state::State;
