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
    config: Config,
    sink: Weak<Mutex<Sink>>,
}

impl Files {
    /// The file of a configuration. It is closed when the last exporter that has it is gone.
    ///
    /// # Errors
    /// It can't be opened, or it is open with other settings.
    pub(super) fn open(&self, config: &Config) -> io::Result<Arc<Mutex<Sink>>> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // All that both exporters must agree on.
        let shared = Config { temporality: None, ..config.clone() };
        if let Some(open) = files.get(&config.path)
            && let Some(sink) = open.sink.upgrade()
        {
            if open.config != shared {
                return Err(io::Error::other("another exporter writes this file in another way"));
            }
            return Ok(sink);
        }
        let sink = Arc::new(Mutex::new(Sink::open(config)?));
        files.insert(config.path.clone(), Open { config: shared, sink: Arc::downgrade(&sink) });
        Ok(sink)
    }
}
