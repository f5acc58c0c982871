//! OTLP over HTTP/1.1: the client, what is sent, and what an answer means.

mod answer;
mod client;
mod retry_after;
mod transport;

pub(super) use client::check;
pub use transport::HttpTransport;
