//! Which files a process may still open: what it was told, and what it needs of the system.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// What the system's libraries read. Folders and not files, since files such as /etc/resolv.conf are replaced by others of
/// that name, and a rule for a file is for that one only.
const SYSTEM: &[&str] = &[
    "/etc",     // names of hosts, users and services, certificates, the time zone
    "/usr/lib", // libraries that the resolver loads
    "/usr/lib32",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/local/lib",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/local/share/ca-certificates",
    "/run/systemd/resolve", // where /etc/resolv.conf may lead to
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/nscd",
    "/proc",
    "/sys",
    "/dev/null",
    "/dev/full",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
];
/// Of these, what may be written, too.
const SYSTEM_WRITTEN: &[&str] = &["/dev/null", "/dev/full", "/dev/zero"];

/// Folders and files that a process may open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// To be read. A file stands for its folder, in which it may be replaced.
    read: BTreeSet<PathBuf>,
    /// To be written, with all that is in them.
    written: BTreeSet<PathBuf>,
    /// Of these, those that are made where they are missing.
    made: BTreeSet<PathBuf>,
}

impl Access {
    /// A file may be read, and others in its folder: it may be replaced. If it is a link, the file that it leads to may be
    /// read, too. It need not be there.
    pub fn read_file(&mut self, file: &Path) {
        self.read.insert(folder_of(file));
        if let Ok(real) = file.canonicalize() {
            self.read.insert(folder_of(&real));
        }
    }

    /// All that is in a folder may be read.
    pub fn read_folder(&mut self, folder: &Path) {
        self.read.insert(absolute(folder));
    }

    /// A file may be written, and others in its folder.
    pub fn write_file(&mut self, file: &Path) {
        self.written.insert(folder_of(file));
    }

    /// All that is in a folder may be read and written. It is made if it is missing.
    pub fn write_folder(&mut self, folder: &Path) {
        let folder = absolute(folder);
        self.written.insert(folder.clone());
        self.made.insert(folder);
    }

    /// The folders that are to be made where they are missing. Later they can't be.
    pub fn made_folders(&self) -> impl Iterator<Item = &Path> {
        self.made.iter().map(PathBuf::as_path)
    }

    /// What is in this one and not covered by `other`.
    pub fn outside<'a>(&'a self, other: &'a Access) -> impl Iterator<Item = &'a Path> {
        let is_in =
            |path: &Path, folders: &BTreeSet<PathBuf>| path.ancestors().any(|up| folders.contains(up));
        let may_read = move |path: &Path| {
            is_in(path, &other.read)
                || is_in(path, &other.written)
                || SYSTEM.iter().any(|system| path.starts_with(system))
        };
        let read = self.read.iter().filter(move |path| !may_read(path));
        let written = self.written.iter().filter(move |path| !is_in(path, &other.written));
        read.chain(written).map(PathBuf::as_path)
    }

    /// What may be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &Path> {
        SYSTEM.iter().map(Path::new).chain(self.read.iter().map(PathBuf::as_path))
    }

    /// What may be written.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &Path> {
        SYSTEM_WRITTEN.iter().map(Path::new).chain(self.written.iter().map(PathBuf::as_path))
    }
}

/// The folder of a file, from the root on. A file that is right in the root stands for itself.
fn folder_of(file: &Path) -> PathBuf {
    let file = absolute(file);
    // The folder of a file in the root would be everything.
    let folder = file.parent().filter(|folder| folder.parent().is_some());
    folder.map_or_else(|| file.clone(), Path::to_owned)
}

/// A path from the root on, without `.` and with `..` resolved as far as that needs no look at links.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_another_access_does_not_cover_is_outside() {
        let mut old = Access::default();
        old.read_file(Path::new("/opt/agent/config.yaml"));
        old.write_folder(Path::new("/var/lib/agent"));
        let outside = |change: fn(&mut Access)| {
            let mut new = Access::default();
            change(&mut new);
            new.outside(&old).map(Path::to_owned).collect::<Vec<_>>()
        };
        assert!(outside(|new| new.read_file(Path::new("/opt/agent/../agent/deeper/ca.pem"))).is_empty());
        assert!(outside(|new| new.read_file(Path::new("/etc/ssl/ca.pem"))).is_empty(), "the system's");
        assert!(outside(|new| new.read_file(Path::new("/var/lib/agent/token"))).is_empty());
        assert!(outside(|new| new.write_file(Path::new("/var/lib/agent/a/b.json"))).is_empty());
        assert_eq!(outside(|new| new.read_file(Path::new("/opt/other/ca.pem"))), [Path::new("/opt/other")]);
        assert_eq!(outside(|new| new.write_file(Path::new("/opt/agent/b.json"))), [Path::new("/opt/agent")]);
    }

    #[test]
    fn a_link_may_be_read_and_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["live", "archive"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        fs::write(root.join("archive/ca1.pem"), "").unwrap();
        symlink("../archive/ca1.pem", root.join("live/ca.pem")).unwrap();
        let mut access = Access::default();
        access.read_file(&root.join("live/ca.pem"));
        assert_eq!(access.read, [root.join("archive"), root.join("live")].into());
    }
}
