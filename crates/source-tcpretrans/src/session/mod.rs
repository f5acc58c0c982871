//! A session: what happens on the reader's thread between start and stop. It loads and attaches the programs as the
//! setup says, reads until it is to stop, and releases everything.

mod constants;
mod error;
mod inputs;
mod load;
mod owners;
mod read;
mod reader;
mod run;

pub(crate) use inputs::Inputs;
pub(crate) use run::run;
