//! Texts that must not be shown, such as a token in a header.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is shown in place of a secret.
pub const REDACTED: &str = "[REDACTED]";

/// A text whose `Debug` and `Serialize` forms are [`REDACTED`]. Parts of it may be in files, which are read at each use.
/// Two secrets are equal if they name the same files, whatever is in these.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Text(String),
    File(PathBuf),
}

impl Secret {
    /// Makes `text` a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(vec![Part::Text(text.into())])
    }

    /// The text itself.
    ///
    /// # Errors
    /// A file can't be read. The error names it.
    pub fn reveal(&self) -> io::Result<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text += part,
                Part::File(path) => {
                    let content = fs::read_to_string(path);
                    let content = content.map_err(|error| {
                        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                    })?;
                    // Many files end with a newline that is no part of the value.
                    text += content.trim_end_matches(['\r', '\n']);
                }
            }
        }
        Ok(text)
    }

    /// The files that it is in.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::File(path) => Some(path.as_path()),
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// A text, or `{ parts: [{ text: … }, { file: … }] }`, which the reader of configurations makes of `${file:…}`.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            parts: Vec<Part>,
        }
        Ok(Secret(Parts::deserialize(MapAccessDeserializer::new(map))?.parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret: Secret = serde_yaml::from_str("Bearer abc").expect("a text");
        assert_eq!(secret.reveal().unwrap(), "Bearer abc");
        assert_eq!(format!("{secret:?}"), "[REDACTED]");
        assert_eq!(serde_json::to_string(&secret).expect("serializes"), "\"[REDACTED]\"");
    }

    #[test]
    fn a_file_is_read_at_each_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let parts = serde_json::json!({ "parts": [{ "text": "Bearer " }, { "file": path }] });
        let secret: Secret = serde_json::from_value(parts).unwrap();
        let message = secret.reveal().unwrap_err().to_string();
        assert!(message.contains("token: No such file"), "{message}");
        for token in ["one", "two\n"] {
            fs::write(&path, token).unwrap();
            assert_eq!(secret.reveal().unwrap(), format!("Bearer {}", token.trim_end()));
        }
        assert_eq!(secret.files().collect::<Vec<_>>(), [path]);
    }
}
