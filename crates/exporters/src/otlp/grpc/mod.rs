//! OTLP over gRPC: the connection, the message on the wire, and what a status means.

mod channel;
mod message;
mod status;
mod transport;

pub(crate) use channel::{check_files, endpoint};
pub use transport::GrpcTransport;
pub(crate) use transport::metadata;
