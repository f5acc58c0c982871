//! A session: the setup carried out, on the reader's thread. Loads and attaches the programs, reads until it is told to
//! stop, and releases everything.

mod error;
mod inputs;
mod load;
mod read;
mod reader;
mod run;

pub(crate) use inputs::Inputs;
pub(crate) use run::run;
