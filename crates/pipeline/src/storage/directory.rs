//! The directory of a `file_storage` extension: who may use it, and which store is in use.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError, canonicalize};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::config::Config;
use super::error::OpenError;
use crate::books::Signal;
use crate::delivery::QueueConfig;

/// The file whose lock says that a process uses the directory.
const LOCK: &str = "lock";
/// What a file's name keeps of an exporter's id. The rest is written as `%2F`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The directories that this process uses, by path. A directory is locked until nothing uses it any more. So an exporter
/// that is replaced can hand it to its successor.
#[derive(Default)]
pub struct Storages(Mutex<BTreeMap<PathBuf, Weak<Directory>>>);

/// A `file_storage` extension in use.
#[derive(Clone)]
pub struct Storage {
    config: Config,
    directory: Arc<Directory>,
}

struct Directory {
    path: PathBuf,
    /// By file.
    slots: Mutex<BTreeMap<PathBuf, Arc<Slot>>>,
    /// Its lock ends with it.
    _lock: File,
}

/// Where the store of one exporter and signal is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) config: Config,
    slot: Arc<Slot>,
    _directory: Arc<Directory>,
}

/// Says who may use a file. Within the process that is one at a time: an exporter, and then its successor.
#[derive(Default)]
struct Slot {
    taken: Mutex<bool>,
    freed: Condvar,
    /// Number of those that wait.
    wanted: AtomicU32,
}

/// The right to use a file. It ends when this is dropped.
pub(crate) struct Taken(Arc<Slot>);

/// Someone waits for the file.
pub(crate) struct Wanting(Arc<Slot>);

impl Storages {
    /// Makes a directory ready for use. Creates and locks it, unless this process has it already.
    ///
    /// # Errors
    /// The directory can't be used, or another process uses it.
    pub fn open(&self, config: &Config) -> Result<Storage, OpenError> {
        let failed = |source| OpenError::Directory {
            path: config.directory.clone(),
            uid: rustix::process::getuid().as_raw(),
            source,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&config.directory).map_err(failed)?;
        let path = canonicalize(&config.directory).map_err(failed)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = match known.get(&path).and_then(Weak::upgrade) {
            Some(directory) => directory,
            None => {
                let lock = lock(&path).map_err(|error| match error {
                    TryLockError::WouldBlock => OpenError::InUse { path: path.clone() },
                    TryLockError::Error(source) => failed(source),
                })?;
                let slots = Mutex::default();
                Arc::new(Directory { path: path.clone(), slots, _lock: lock })
            }
        };
        known.insert(path, Arc::downgrade(&directory));
        Ok(Storage { config: config.clone(), directory })
    }
}

fn lock(directory: &Path) -> Result<File, TryLockError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK));
    let file: File = file.map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

impl Storage {
    /// The largest size of a queue in it, in bytes.
    pub fn capacity(&self, queue: &QueueConfig) -> u64 {
        let own = queue.queue_size.map_or(u64::MAX, |size| size.bytes());
        self.config.max_size.bytes().min(own)
    }

    /// The place of an exporter's store.
    pub(crate) fn place(&self, exporter: &str, signal: Signal) -> Place {
        let id = utf8_percent_encode(exporter, KEPT);
        let signal: &str = signal.into();
        let file = self.directory.path.join(format!("{id}.{signal}.sqlite"));
        let mut slots = self.directory.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(slots.entry(file.clone()).or_default());
        Place { file, config: self.config.clone(), slot, _directory: Arc::clone(&self.directory) }
    }
}

impl Place {
    /// Takes the file, unless another exporter of this process still uses it after `patience`.
    pub(crate) fn take(&self, patience: Duration) -> Option<Taken> {
        let waited = self.slot.freed.wait_timeout_while(self.slot.lock(), patience, |taken| *taken);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *taken, true) {
            return None;
        }
        Some(Taken(Arc::clone(&self.slot)))
    }

    /// Says that the caller waits for the file, until the result is dropped.
    pub(crate) fn want(&self) -> Wanting {
        self.slot.wanted.fetch_add(1, Ordering::Relaxed);
        Wanting(Arc::clone(&self.slot))
    }

    /// Whether a successor waits for the file.
    pub(crate) fn is_wanted(&self) -> bool {
        self.slot.wanted.load(Ordering::Relaxed) > 0
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wanting {
    fn drop(&mut self) {
        self.0.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn config(directory: &Path) -> Config {
        Config { directory: directory.to_owned(), ..Config::default() }
    }

    #[test]
    fn a_directory_belongs_to_one_user_until_the_last_one_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let config = config(&root.path().join("a/b"));
        let (ours, others) = (Storages::default(), Storages::default());
        let (first, second) = (ours.open(&config).unwrap(), ours.open(&config).unwrap());
        let refused = |storages: &Storages| storages.open(&config).err().map(|error| error.to_string());
        let message = refused(&others).unwrap();
        assert!(message.contains("a/b belongs to another process"), "{message}");
        drop(first);
        assert!(refused(&others).is_some(), "the second one still uses it");
        drop(second);
        assert_eq!(refused(&others), None);
    }

    #[test]
    fn a_directory_that_can_not_be_made_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        File::create(&file).unwrap();
        let message = Storages::default().open(&config(&file.join("x"))).err().unwrap().to_string();
        assert!(message.contains("file/x: Not a directory") && message.contains("uid"), "{message}");
    }

    #[test]
    fn ids_become_file_names() {
        let root = tempfile::tempdir().unwrap();
        let storage = Storages::default().open(&config(root.path())).unwrap();
        let place = storage.place("otlp/eu west", Signal::Logs);
        assert_eq!(place.file.file_name().unwrap(), "otlp%2Feu%20west.logs.sqlite");
    }

    #[test]
    fn a_successor_gets_the_file_when_its_predecessor_is_done() {
        let root = tempfile::tempdir().unwrap();
        let storage = Storages::default().open(&config(root.path())).unwrap();
        let (old, new) = (storage.place("otlp", Signal::Logs), storage.place("otlp", Signal::Logs));
        let taken = old.take(Duration::ZERO).unwrap();
        assert!(new.take(Duration::ZERO).is_none() && !old.is_wanted());
        let wanting = new.want();
        assert!(old.is_wanted());
        let successor = std::thread::spawn(move || new.take(Duration::from_secs(60)).is_some());
        drop(taken);
        assert!(successor.join().unwrap());
        drop(wanting);
        assert!(!old.is_wanted());
    }
}
