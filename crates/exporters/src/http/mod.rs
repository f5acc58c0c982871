//! HTTP for all parts of this crate that serve something.

mod address;
mod connections;
mod listening;
mod server;

pub(crate) use address::{is_listen_address, wrong_address};
pub(crate) use connections::accept_all;
pub(crate) use listening::Listening;
pub(crate) use server::{Body, Taken, not_metrics, only_get, serve, text};
