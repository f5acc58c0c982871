//! The thread that watches a hierarchy: it walks it at the start, and then inotify tells it of each cgroup that comes or
//! goes.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tracing::{info, warn};

use super::config::CgroupConfig;
use super::hierarchy::{Hierarchy, mount_point};

/// How often the thread looks whether anyone still needs it.
const LOOK: Duration = Duration::from_secs(10);

/// The thread's own part.
struct Watcher {
    root: PathBuf,
    inotify: OwnedFd,
    hierarchy: Weak<Hierarchy>,
    /// The path and the id of each watched cgroup, by the watch's descriptor.
    watched: HashMap<i32, (PathBuf, u64)>,
    /// The watches, by path.
    by_path: HashMap<PathBuf, i32>,
    /// Whether the kernel refused a watch: then new cgroups below are found by walks.
    is_full: bool,
    linger: Duration,
}

/// Walks the hierarchy, and starts to watch it. If that fails, no cgroup is known, and a warning says so.
pub(super) fn start(config: &CgroupConfig, hierarchy: &Arc<Hierarchy>) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let Some(root) = config.root.clone().or_else(|| mount_point(&mounts)) else {
        return warn!("cgroup: no cgroup v2 hierarchy is mounted, so that nothing is named; set `root`");
    };
    let started = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
        .map_err(io::Error::from)
        .and_then(|inotify| {
            let mut watcher = Watcher {
                root: root.clone(),
                inotify,
                hierarchy: Arc::downgrade(hierarchy),
                watched: HashMap::new(),
                by_path: HashMap::new(),
                is_full: false,
                linger: *config.linger,
            };
            fs::metadata(&root)?;
            watcher.add(&root, hierarchy);
            let count = watcher.watched.len();
            thread::Builder::new().name("cgroups".to_owned()).spawn(move || watcher.run())?;
            Ok(count)
        });
    match started {
        Ok(cgroups) => info!(root = %root.display(), cgroups, "watching cgroups"),
        Err(error) => {
            warn!(root = %root.display(), %error, "cgroup: can't watch the hierarchy, so that nothing is named");
        }
    }
}

impl Watcher {
    /// Takes note of a cgroup and of those below it. A watch comes before the look at what is below, so that none is missed.
    fn add(&mut self, path: &Path, hierarchy: &Hierarchy) {
        let Ok(folder) = fs::metadata(path) else { return }; // it is gone
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ONLYDIR;
        match inotify::add_watch(&self.inotify, path, flags) {
            Ok(watch) => {
                self.watched.insert(watch, (path.to_owned(), folder.ino()));
                self.by_path.insert(path.to_owned(), watch);
            }
            Err(Errno::NOSPC) if !self.is_full => {
                self.is_full = true;
                warn!(
                    "cgroup: fs.inotify.max_user_watches is reached; new cgroups below some others are found after up to \
                     {LOOK:?} only"
                );
            }
            Err(_) => {}
        }
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        hierarchy.add(folder.ino(), &format!("/{}", below.display()));
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.add(&entry.path(), hierarchy);
            }
        }
    }

    fn run(mut self) {
        loop {
            let seconds = i64::try_from(LOOK.as_secs()).unwrap_or(i64::MAX);
            let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
            // An interrupted wait is as good as one that ends.
            let _ = poll(&mut [PollFd::new(&self.inotify, PollFlags::IN)], Some(&timeout));
            let Some(hierarchy) = self.hierarchy.upgrade() else { return };
            self.take_events(&hierarchy);
            hierarchy.forget(Instant::now().checked_sub(self.linger));
        }
    }

    fn take_events(&mut self, hierarchy: &Hierarchy) {
        let (mut created, mut deleted, mut is_lost) = (Vec::new(), Vec::new(), self.is_full);
        let mut buffer = [const { MaybeUninit::uninit() }; 4096];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        while let Ok(event) = events.next() {
            is_lost |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            let Some((parent, _)) = self.watched.get(&event.wd()) else { continue };
            let Some(name) = event.file_name().and_then(|name| name.to_str().ok()) else { continue };
            let path = parent.join(name);
            if event.events().contains(ReadFlags::CREATE) {
                created.push(path);
            } else if event.events().contains(ReadFlags::DELETE) {
                deleted.push(path);
            }
        }
        let now = Instant::now();
        let removed: Vec<u64> = deleted.iter().filter_map(|path| self.unwatch(path)).collect();
        hierarchy.remove(&removed, now);
        for path in created {
            self.add(&path, hierarchy);
        }
        if is_lost {
            let gone: Vec<PathBuf> = self.by_path.keys().filter(|path| !path.exists()).cloned().collect();
            let removed: Vec<u64> = gone.iter().filter_map(|path| self.unwatch(path)).collect();
            hierarchy.remove(&removed, now);
            let root = self.root.clone();
            self.add(&root, hierarchy);
        }
    }

    /// Forgets the watch of a cgroup that was removed. Returns its id.
    fn unwatch(&mut self, path: &Path) -> Option<u64> {
        let watch = self.by_path.remove(path)?;
        self.watched.remove(&watch).map(|(_, id)| id)
    }
}
