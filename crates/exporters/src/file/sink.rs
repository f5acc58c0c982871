//! One file: requests are put at its end, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::{info, warn};

use super::config::{Config, Rotation};
use super::{backups, frames};

/// An open file.
pub(super) struct Sink {
    config: Config,
    file: File,
    /// The end of the last whole request.
    len: u64,
}

impl Sink {
    /// Opens the file of a configuration. The end of a request that a crash has left behind is cut off.
    ///
    /// # Errors
    /// The file can't be opened, read or locked.
    pub(super) fn open(config: &Config) -> io::Result<Sink> {
        let (file, len) = open(config)?;
        Ok(Sink { config: config.clone(), file, len })
    }

    /// Puts a request at the end. If it does not fit into the largest file, a new file is begun before.
    ///
    /// # Errors
    /// It can't be written. Then nothing of it is in the file.
    pub(super) fn append(&mut self, request: &[u8]) -> io::Result<()> {
        let mut whole = Vec::with_capacity(request.len() + 4);
        if self.config.is_framed() {
            whole.extend_from_slice(&frames::prefix(request.len())?);
            whole.extend_from_slice(request);
        } else {
            whole.extend_from_slice(request);
            whole.push(b'\n');
        }
        let added = whole.len() as u64;
        if let Some(rotation) = self.config.rotation
            && self.len > 0
            && self.len + added > rotation.max_megabytes << 20
        {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(&whole) {
            self.file.set_len(self.len)?;
            return Err(error);
        }
        self.len += added;
        Ok(())
    }

    /// Changes when a new file is begun.
    pub(super) fn set_rotation(&mut self, rotation: Option<Rotation>) {
        self.config.rotation = rotation;
    }

    fn rotate(&mut self) -> io::Result<()> {
        let now = Timestamp::now();
        match fs::rename(&self.config.path, backups::name(&self.config.path, now)) {
            // Somebody has moved it away, or the last rotation could not open a new one.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        (self.file, self.len) = open(&self.config)?;
        if let Some(rotation) = &self.config.rotation
            && let Err(error) = backups::prune(&self.config.path, rotation, now)
        {
            // The new file can be written all the same.
            warn!(path = %self.config.path.display(), %error, "can't delete older files");
        }
        Ok(())
    }
}

/// Opens and locks a file, and cuts off what is no whole request. Returns the file and its length.
fn open(config: &Config) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).read(true).append(true).open(&config.path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(io::Error::other("another process writes this file")),
        // Some network file systems have no locks.
        Err(error) => info!(path = %config.path.display(), %error, "the file can't be locked"),
    }
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("this is no regular file"));
    }
    let whole = match config.is_framed() {
        true => frames::end_of_frames(&file, found.len())?,
        false => frames::end_of_lines(&file, found.len())?,
    };
    if whole < found.len() {
        let bytes = found.len() - whole;
        warn!(path = %config.path.display(), bytes, "removed the end of a request that was never written whole");
        file.set_len(whole)?;
    }
    Ok((file, whole))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::file::{FileCompression, Rotation};

    fn config(folder: &TempDir, compression: FileCompression) -> Config {
        Config { path: folder.path().join("a.json"), compression, ..Config::default() }
    }

    /// A crash may leave any part of the last request. All of those before it stay, and the next one follows them.
    #[test]
    fn a_torn_end_never_reaches_the_next_start() {
        for compression in [FileCompression::None, FileCompression::Zstd] {
            let folder = tempfile::tempdir().unwrap();
            let config = config(&folder, compression);
            let mut sink = Sink::open(&config).unwrap();
            sink.append(b"first").unwrap();
            sink.append(b"second").unwrap();
            drop(sink);
            let whole = fs::read(&config.path).unwrap();
            let first = if config.is_framed() { 4 + 5 } else { 5 + 1 };
            for len in 0..=whole.len() {
                fs::write(&config.path, &whole[..len]).unwrap();
                let mut sink = Sink::open(&config).unwrap();
                let kept = match len {
                    _ if len == whole.len() => len,
                    _ if len >= first => first,
                    _ => 0,
                };
                assert_eq!(fs::read(&config.path).unwrap(), whole[..kept], "{len} bytes");
                sink.append(b"third").unwrap();
                let now = fs::read(&config.path).unwrap();
                assert!(now.starts_with(&whole[..kept]) && now.len() == kept + first, "{now:?}");
            }
        }
    }

    #[test]
    fn a_full_file_becomes_a_backup_and_no_request_is_split() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Some(Rotation { max_megabytes: 1, max_days: 0, max_backups: 2 });
        let config = Config { rotation, ..config(&folder, FileCompression::None) };
        let mut sink = Sink::open(&config).unwrap();
        let line = vec![b'x'; 300 << 10];
        for _ in 0..14 {
            sink.append(&line).unwrap();
        }
        let sizes: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len() as usize / line.len())
            .collect();
        assert_eq!(sizes.len(), 3, "the file and two backups: {sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 3 + 3 + 2, "{sizes:?}");
    }

    /// As after a rotation that found no room for a new file.
    #[test]
    fn a_full_file_that_is_gone_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Some(Rotation { max_megabytes: 1, max_days: 0, max_backups: 0 });
        let config = Config { rotation, ..config(&folder, FileCompression::None) };
        let mut sink = Sink::open(&config).unwrap();
        let line = vec![b'x'; 600 << 10];
        sink.append(&line).unwrap();
        fs::rename(&config.path, folder.path().join("moved")).unwrap();
        sink.append(&line).unwrap();
        assert_eq!(fs::metadata(&config.path).unwrap().len(), line.len() as u64 + 1);
    }

    #[test]
    fn another_process_is_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder, FileCompression::None);
        let _sink = Sink::open(&config).unwrap();
        let error = Sink::open(&config).err().expect("it is locked"); // a lock belongs to the open file
        assert_eq!(error.to_string(), "another process writes this file");
        let no_file = Config { path: folder.path().to_owned(), ..Config::default() };
        assert!(Sink::open(&no_file).is_err());
    }
}
