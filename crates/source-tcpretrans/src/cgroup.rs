//! This process's own cgroup (v2): where its folder is, its id, and the memory that it leaves.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// A cgroup that can be seen from here.
#[derive(Debug)]
pub(crate) struct Cgroup {
    folder: PathBuf,
    /// Where its hierarchy is mounted: cgroups above can't be seen.
    mount: PathBuf,
}

impl Cgroup {
    /// This thread's own; `None` where no mount shows it.
    pub(crate) fn own() -> Option<Cgroup> {
        let mounts = fs::read_to_string("/proc/thread-self/mountinfo").ok()?;
        let cgroups = fs::read_to_string("/proc/thread-self/cgroup").ok()?;
        let path = Path::new(path(&cgroups)?);
        mounts.lines().filter_map(cgroup2_mount).find_map(|(root, mount)| Cgroup::at(path, root, mount))
    }

    /// The cgroup that the kernel calls `path`, below a mount of what it calls `root`: both from this process's cgroup
    /// namespace, which may lie below what is mounted, and above it.
    fn at(path: &Path, root: &Path, mount: &Path) -> Option<Cgroup> {
        let below = path.strip_prefix(root).ok()?;
        let is_outside = below.components().any(|part| part == Component::ParentDir);
        let folder = mount.join(below);
        (!is_outside && folder.is_dir()).then(|| Cgroup { folder, mount: mount.to_owned() })
    }

    /// The inode of its folder (kernel/cgroup/cgroup.c, `cgroup_id`).
    pub(crate) fn id(&self) -> Option<u64> {
        Some(fs::metadata(&self.folder).ok()?.ino())
    }

    /// Bytes that this cgroup and those above it may still take; `None` without a limit.
    pub(crate) fn memory_left(&self) -> Option<u64> {
        let folders = self.folder.ancestors().take_while(|folder| folder.starts_with(&self.mount));
        folders.filter_map(memory_left).min()
    }
}

/// The same of one cgroup alone. Its part of the page cache counts as free, because the kernel can take it back.
fn memory_left(folder: &Path) -> Option<u64> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let limit: u64 = read("memory.max")?.trim().parse().ok()?; // "max" is none
    let current: u64 = read("memory.current")?.trim().parse().ok()?;
    let stat = read("memory.stat")?;
    let of = |name| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let cache = of("file ").unwrap_or(0).saturating_sub(of("shmem ").unwrap_or(0));
    Some(limit.saturating_sub(current.saturating_sub(cache)))
}

/// The root and the mount point in a line of mountinfo, if it is of cgroup v2.
fn cgroup2_mount(line: &str) -> Option<(&Path, &Path)> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut columns = mount.split(' ').skip(3).map(Path::new);
    filesystem.starts_with("cgroup2 ").then_some(())?;
    columns.next().zip(columns.next())
}

fn path(cgroups: &str) -> Option<&str> {
    cgroups.lines().find_map(|line| line.strip_prefix("0::"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn finds_the_v2_hierarchy_beside_v1_ones() {
        let v1 = "25 20 0:23 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";
        let v2 = "26 20 0:24 /a /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw";
        assert_eq!(cgroup2_mount(v1), None);
        assert_eq!(cgroup2_mount(v2), Some((Path::new("/a"), Path::new("/sys/fs/cgroup/unified"))));
        assert_eq!(path("4:cpu:/x\n0::/system.slice/a\n"), Some("/system.slice/a"));
    }

    #[test]
    fn a_mount_shows_what_lies_below_its_root() {
        let mount = tempfile::tempdir().unwrap();
        fs::create_dir_all(mount.path().join("b/c")).unwrap();
        let at = |path: &str, root: &str| {
            Cgroup::at(Path::new(path), Path::new(root), mount.path())
                .map(|cgroup| cgroup.folder.strip_prefix(mount.path()).unwrap().display().to_string())
        };
        assert_eq!(at("/b/c", "/").as_deref(), Some("b/c"));
        assert_eq!(at("/", "/").as_deref(), Some(""));
        // The host's cgroup namespace in a container: its own cgroup is what is mounted.
        assert_eq!(at("/a/b/c", "/a").as_deref(), Some("b/c"));
        assert_eq!(at("/a", "/a").as_deref(), Some(""));
        // A cgroup namespace of its own, and the host's mount: the folder's name is not known here.
        assert_eq!(at("/", "/../.."), None);
        // Moved out of the namespace, or removed.
        assert_eq!(at("/../b", "/"), None);
        assert_eq!(at("/gone (deleted)", "/"), None);
    }

    #[test]
    fn memory_is_bounded_by_each_cgroup_above() {
        let mount = tempfile::tempdir().unwrap();
        let folder = mount.path().join("pod/container");
        fs::create_dir_all(&folder).unwrap();
        let cgroup = Cgroup { folder: folder.clone(), mount: mount.path().to_owned() };
        assert_eq!(cgroup.memory_left(), None); // the controller is off
        let write = |folder: &Path, max: &str, current: &str| {
            fs::write(folder.join("memory.max"), max).unwrap();
            fs::write(folder.join("memory.current"), current).unwrap();
            fs::write(folder.join("memory.stat"), "anon 400\nfile 300\nfile_mapped 9\nshmem 100\n").unwrap();
        };
        write(&folder, "max\n", "700\n");
        assert_eq!(cgroup.memory_left(), None);
        write(&folder, "5000\n", "700\n");
        assert_eq!(cgroup.memory_left(), Some(4500)); // 200 of the page cache can go
        write(folder.parent().unwrap(), "1000\n", "2000\n");
        assert_eq!(cgroup.memory_left(), Some(0));
    }
}
