//! The files that `file` exporters write. The exporters of both signals share a file.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::config::Config;
use super::sink::Sink;

/// The open files of a process, by path.
#[derive(Default)]
pub struct Files(Mutex<BTreeMap<PathBuf, Open>>);

struct Open {
    /// The exporter that has it.
    id: String,
    config: Config,
    sink: Weak<Mutex<Sink>>,
}

impl Files {
    /// The file of an exporter's configuration. It is closed when the last exporter that has it is gone. A reload may change
    /// its rotation. It can't change the form of requests, since those of before are still on their way.
    ///
    /// # Errors
    /// It can't be opened, or it is open with other settings.
    pub(super) fn open(&self, id: &str, config: &Config) -> io::Result<Arc<Mutex<Sink>>> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // All that both exporters must agree on.
        let shared = Config { temporality: None, ..config.clone() };
        if let Some(open) = files.get_mut(&config.path)
            && let Some(sink) = open.sink.upgrade()
        {
            if open.config == shared {
                return Ok(sink);
            }
            let form = |config: &Config| (config.format, config.compression);
            if open.id != id {
                return Err(io::Error::other("another exporter writes this file in another way"));
            }
            if form(&open.config) != form(&shared) {
                return Err(io::Error::other("this process still writes the file in another form"));
            }
            sink.lock().unwrap_or_else(PoisonError::into_inner).set_rotation(shared.rotation);
            open.config = shared;
            return Ok(sink);
        }
        let sink = Arc::new(Mutex::new(Sink::open(config)?));
        files.insert(
            config.path.clone(),
            Open { id: id.to_owned(), config: shared, sink: Arc::downgrade(&sink) },
        );
        Ok(sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{FileCompression, Rotation};

    #[test]
    fn a_reload_may_change_the_rotation_of_a_file_and_nothing_else_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { path: folder.path().join("a.json"), ..Config::default() };
        let files = Files::default();
        let old = files.open("file", &config).unwrap();
        let rotated =
            Config { rotation: Some(Rotation { max_megabytes: 1, ..Rotation::default() }), ..config.clone() };
        let new = files.open("file", &rotated).unwrap();
        assert!(Arc::ptr_eq(&old, &new));
        for _ in 0..3 {
            new.lock().unwrap().append(&vec![b'x'; 600 << 10]).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "it rotates now");
        let message = |id: &str, config: &Config| files.open(id, config).err().map(|error| error.to_string());
        let compressed = Config { compression: FileCompression::Zstd, ..rotated.clone() };
        assert!(message("file", &compressed).unwrap().contains("in another form"));
        assert!(message("file/2", &config).unwrap().contains("another exporter"));
        assert_eq!(message("file/2", &rotated), None);
    }
}
