//! The names of older files, and which of them are deleted.
//!
//! `telemetry.json` becomes `telemetry-2026-11-29T04-18-00.000.json`, with the time in UTC at which it was closed: the names
//! that the Collector's fileexporter gives.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::config::Rotation;

const FORM: &str = "%Y-%m-%dT%H-%M-%S%.3f";

/// The stem of a path with a dash, and its extension with the dot.
fn around(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    (format!("{stem}-"), extension.unwrap_or_default())
}

/// A name that no file has yet, for a file that is closed at `now`.
pub(super) fn name(path: &Path, mut now: Timestamp) -> PathBuf {
    let (stem, extension) = around(path);
    loop {
        let time = now.to_zoned(TimeZone::UTC).strftime(FORM);
        let name = path.with_file_name(format!("{stem}{time}{extension}"));
        if !name.exists() {
            return name;
        }
        now = now.saturating_add(Duration::from_millis(1)).unwrap_or(Timestamp::MAX);
    }
}

/// Deletes older files of `path` that are too many or too old at `now`. A file with another form of name is left alone.
///
/// # Errors
/// The folder can't be read, or a file can't be deleted.
pub(super) fn prune(path: &Path, rotation: &Rotation, now: Timestamp) -> io::Result<()> {
    let (stem, extension) = around(path);
    let closed_at = |name: &str| {
        let time = name.strip_prefix(&stem)?.strip_suffix(&extension)?;
        DateTime::strptime(FORM, time).ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut backups = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(closed) = entry.file_name().to_str().and_then(closed_at) {
            backups.push((closed, entry.path()));
        }
    }
    backups.sort(); // by time
    let most = if rotation.max_backups == 0 { usize::MAX } else { rotation.max_backups };
    let too_many = backups.len().saturating_sub(most);
    let oldest = Duration::from_secs(u64::from(rotation.max_days) * 24 * 3600);
    for (index, (closed, backup)) in backups.into_iter().enumerate() {
        let age = Duration::try_from(now.duration_since(closed)).unwrap_or_default();
        if index < too_many || (rotation.max_days > 0 && age > oldest) {
            fs::remove_file(backup)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn names_have_the_time_and_are_never_taken_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let first = name(&path, at("2026-11-29T04:18:00.0009Z"));
        assert_eq!(first.file_name().unwrap(), "a-2026-11-29T04-18-00.000.json");
        fs::write(&first, "").unwrap();
        let second = name(&path, at("2026-11-29T04:18:00.0009Z"));
        assert_eq!(second.file_name().unwrap(), "a-2026-11-29T04-18-00.001.json");
    }

    #[test]
    fn the_oldest_and_no_other_file_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let left = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        for name in [
            "a.json",
            "a-note.json",
            "a-2026-11-01T00-00-00.000.json",
            "a-2026-11-20T00-00-00.000.json",
            "a-2026-11-28T00-00-00.000.json",
            "b-2026-11-01T00-00-00.000.json",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let path = folder.path().join("a.json");
        let now = at("2026-11-29T00:00:00Z");
        prune(&path, &Rotation { max_backups: 2, ..Rotation::default() }, now).unwrap();
        assert_eq!(left().len(), 5);
        assert!(!left().contains(&"a-2026-11-01T00-00-00.000.json".to_owned()));
        prune(&path, &Rotation { max_days: 7, max_backups: 0, ..Rotation::default() }, now).unwrap();
        assert_eq!(
            left(),
            ["a-2026-11-28T00-00-00.000.json", "a-note.json", "a.json", "b-2026-11-01T00-00-00.000.json"]
        );
    }
}
