//! Chunks: items that travel together, so that a channel, a counter and a clone cost once per chunk and not once per
//! item.

mod channel;
mod chunks;
mod model;
mod room;

pub use channel::{Receiver, Sender, Unsent, channel};
pub use chunks::Chunks;
pub use model::Chunk;
pub(crate) use room::Bound;
pub use room::{NoRoom, Room};

/// The number of items that a receiver puts into one chunk at most.
pub const CHUNK: usize = 256;
