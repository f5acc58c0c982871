//! What is watched.

use super::address::Address;

/// A pipeline of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Where the agent's page is.
    pub address: Address,
    /// Which of its pipelines; `None` leaves that to the agent.
    pub pipeline: Option<String>,
}
