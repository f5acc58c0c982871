//! What is made out of files, such as certificates, keys and tokens, and made anew when these are replaced.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::config::Problem;

/// Makes a `T` of the present content of files.
type Make<T> = Box<dyn Fn() -> Result<T, Vec<Problem>> + Send + Sync>;

/// A `T`, and the files that it was made of.
pub struct Rotating<T> {
    files: Vec<PathBuf>,
    make: Make<T>,
    made: Mutex<Made<T>>,
}

struct Made<T> {
    stamps: Vec<Stamp>,
    /// Counts how often it was made.
    number: u64,
    value: T,
}

/// What tells one content of a path from the next: device, inode, modification time in s and ns, and size. `None` if there
/// is no such file. Links are followed, so that a swapped link shows, as Kubernetes swaps those of a secret.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

impl<T: Clone> Rotating<T> {
    /// Makes a `T` of files.
    ///
    /// # Errors
    /// As `make`.
    pub fn new(
        files: Vec<PathBuf>,
        make: impl Fn() -> Result<T, Vec<Problem>> + Send + Sync + 'static,
    ) -> Result<Self, Vec<Problem>> {
        let stamps = stamps(&files);
        let made = Mutex::new(Made { stamps, number: 0, value: make()? });
        Ok(Rotating { files, make: Box::new(make), made })
    }

    /// The value and its number. If a file was replaced, the value is made anew. If that fails, such as between the
    /// replacements of a certificate and of its key, it stays as it is until a file changes again.
    pub fn current(&self) -> (u64, T) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the files are read: a change during the read then shows at the next look.
        let stamps = stamps(&self.files);
        if stamps != made.stamps {
            made.stamps = stamps;
            match (self.make)() {
                Ok(value) => {
                    info!(files = ?self.files, "files were replaced, and are used from now on");
                    made.number += 1;
                    made.value = value;
                }
                Err(problems) => {
                    let problems = Problem::join(&problems);
                    warn!(files = ?self.files, problems, "files were replaced but can't be used: what was there before stays in use");
                }
            }
        }
        (made.number, made.value.clone())
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
    };
    files.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_made_anew_only_when_a_file_is_replaced_by_one_that_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca");
        fs::write(&path, "first").unwrap();
        let source = path.clone();
        let rotating = Rotating::new(vec![path.clone()], move || match fs::read_to_string(&source) {
            Ok(text) if text != "broken" => Ok(text),
            _ => Err(vec![Problem::at("tls.ca_file", "not usable")]),
        })
        .unwrap();
        let replace = |text: &str| {
            fs::write(folder.path().join("new"), text).unwrap();
            fs::rename(folder.path().join("new"), &path).unwrap();
        };
        assert_eq!(rotating.current(), (0, "first".to_owned()));
        replace("broken");
        assert_eq!(rotating.current(), (0, "first".to_owned()));
        replace("second");
        assert_eq!(rotating.current(), (1, "second".to_owned()));
        assert_eq!(rotating.current(), (1, "second".to_owned()));
        fs::remove_file(&path).unwrap();
        assert_eq!(rotating.current(), (1, "second".to_owned()));
    }
}
