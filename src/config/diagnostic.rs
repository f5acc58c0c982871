//! Problems and warnings of a configuration, with the place that each is about.

use std::fmt;
use std::sync::Arc;

pub(crate) use otel_tcpretrans_pipeline::config::expected;

/// The keys from the root to a value. The key of an item in a list is its index.
pub(crate) type KeyPath = Vec<String>;

/// Where a value was set. The order is that of the list of problems: by file, line and column, then the other layers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A place in a file.
    File { rank: usize, file: Arc<str>, line: usize, column: usize },
    /// A variable `OTEL_TCPRETRANS__…`.
    Environment(String),
    /// The key of a `--set`.
    Set(String),
    /// Nowhere: the value is the default.
    Defaults,
}

/// One problem or one warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diagnostic {
    pub(crate) origin: Origin,
    pub(crate) path: KeyPath,
    pub(crate) message: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { file, line: 0, .. } => f.write_str(file),
            Origin::File { file, line, column, .. } => write!(f, "{file}:{line}:{column}"),
            Origin::Environment(variable) => write!(f, "environment variable {variable}"),
            Origin::Set(key) => write!(f, "--set {key}"),
            Origin::Defaults => f.write_str("defaults"),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", display_path(&self.path))?;
        }
        f.write_str(&self.message)
    }
}

/// A path as messages show it, such as `service.pipelines.logs.processors[1]`.
pub(crate) fn display_path(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
            text += &format!("[{part}]");
        } else {
            let separator = if text.is_empty() { "" } else { "." };
            text += &format!("{separator}{part}");
        }
    }
    text
}

/// Reads a path of a component's problem, such as `tls.ca_file`, `exclude.0` or `exclude[0]`.
pub(crate) fn parse_path(text: &str) -> KeyPath {
    text.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back() {
        let path = parse_path("exclude[1].x");
        assert_eq!(path, ["exclude", "1", "x"]);
        assert_eq!(display_path(&path), "exclude[1].x");
    }
}
