//! Chunks: items that travel together, so that a channel, a counter and a clone cost once per chunk and not once per
//! item.

mod channel;
mod chunks;
mod model;

pub use channel::{NoRoom, Receiver, Room, Sender, channel};
pub use chunks::Chunks;
pub use model::Chunk;

/// The number of items that a receiver puts into one chunk at most.
pub const CHUNK: usize = 256;
