//! What `trace` shows, and how.

use strum::{EnumString, VariantNames};

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// One JSON object per line in place of columns.
    pub json: bool,
    /// Columns have colours.
    pub colours: bool,
    /// How many lines are shown at most.
    pub count: Option<u64>,
    /// What the table at the end adds up by.
    pub summary: Option<By>,
    /// What the kernel counts and this run leaves out, as a sentence that begins with "It".
    pub left_out: Option<&'static str>,
}

/// What a summary adds up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// The peer's address.
    Peer,
    /// The process that owns the socket.
    Owner,
    /// Why it was sent again.
    Reason,
}
