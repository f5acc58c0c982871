//! HTTP for all parts of this crate that serve pages.

mod server;

pub(crate) use server::{Body, not_metrics, serve, text};
