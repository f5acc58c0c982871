//! The attributes that filters, aggregation and exporters name, and their values.

mod described;
mod error_type;
mod key;
mod own;
mod value;

pub use described::{Described, Kind};
pub use error_type::ErrorType;
pub(crate) use error_type::errno;
pub use key::Key;
pub use own::{Attribute, UnknownAttribute};
pub use value::{OwnedValue, Value};
