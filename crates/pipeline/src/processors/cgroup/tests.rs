//! Cgroups that come and go. A folder stands for the hierarchy: inotify tells of folders in any file system.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::hierarchy::mount_point;
use super::{CgroupConfig, Cgroups, Hierarchies};
use crate::component::FlowProcessor;
use crate::config::Interval;
use crate::fixtures::record;
use crate::record::{Flow, Record};

const ID: &str = "3f9c1d0e5b7a4c2f8e6d9b1a0c3f5e7d2b4a6c8e0f1d3b5a7c9e1f3d5b7a9c0e";
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn the_mount_of_cgroup2_is_found() {
    let mounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw\n\
                  31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    assert_eq!(mount_point(mounts), Some(PathBuf::from("/sys/fs/cgroup/unified")));
    let bound =
        "50 40 0:27 /docker/x /part rw - cgroup2 cgroup2 rw\n51 40 0:27 / /all rw - cgroup2 cgroup2 rw\n";
    assert_eq!(mount_point(bound), Some(PathBuf::from("/all")));
    assert_eq!(mount_point("30 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw\n"), None);
}

/// What is named of a record with this cgroup.
fn named(processor: &mut Cgroups, id: u64, name: &str) -> Option<String> {
    let flow = record().flow.map(|flow| Flow { cgroup_id: Some(id), ..flow });
    let records =
        processor.push([Record { flow, ..record() }].into_iter().collect(), tokio::time::Instant::now());
    Some(records[0].local_attributes.as_ref()?.get(name)?.to_string())
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(5)); // between looks, not instead of one
    }
}

#[test]
fn cgroups_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let config = CgroupConfig { root: Some(root.to_owned()), linger: Interval::from_millis(300) };
    fs::create_dir_all(root.join("system.slice/ssh.service")).unwrap();
    let ssh = fs::metadata(root.join("system.slice/ssh.service")).unwrap().ino();
    let mut processor = config.start(&Hierarchies::default());
    assert_eq!(
        named(&mut processor, ssh, "systemd.unit.name").as_deref(),
        Some("ssh.service"),
        "known at the start"
    );
    assert_eq!(named(&mut processor, 1, "linux.cgroup.path"), None, "unknown is not named");

    // Two levels at once: the inner one may be there before the outer one is watched.
    let pod = root.join("kubepods/pod7b3f1c2a-9d4e-4f60-8a1b-2c3d4e5f6071");
    let container = pod.join(ID);
    fs::create_dir_all(&container).unwrap();
    let id = fs::metadata(&container).unwrap().ino();
    until("the container is named", || named(&mut processor, id, "container.id").as_deref() == Some(ID));
    assert_eq!(
        named(&mut processor, id, "linux.cgroup.path"),
        Some(format!("/kubepods/pod7b3f1c2a-9d4e-4f60-8a1b-2c3d4e5f6071/{ID}"))
    );
    assert_eq!(
        named(&mut processor, id, "k8s.pod.uid").as_deref(),
        Some("7b3f1c2a-9d4e-4f60-8a1b-2c3d4e5f6071")
    );
    // While it is open, no other folder gets its id.
    let held = fs::File::open(&container).unwrap();
    fs::remove_dir(&container).unwrap();
    assert!(
        named(&mut processor, id, "container.id").is_some(),
        "what dies with its last retransmission is named"
    );
    // The thread looks at least when something happens.
    let mut number = 0;
    until("it is forgotten", || {
        let noise = pod.join(number.to_string());
        fs::create_dir(&noise).unwrap();
        fs::remove_dir(&noise).unwrap();
        number += 1;
        named(&mut processor, id, "container.id").is_none()
    });
    drop(held);
    fs::remove_dir(&pod).unwrap();
}

#[test]
fn a_hierarchy_is_shared_and_its_thread_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = CgroupConfig { root: Some(folder.path().to_owned()), ..CgroupConfig::default() };
    let hierarchies = Hierarchies::default();
    let (one, two) = (hierarchies.open(&config), hierarchies.open(&config));
    assert!(std::sync::Arc::ptr_eq(&one, &two));
    drop((one, two));
    let three = hierarchies.open(&config);
    assert_eq!(std::sync::Arc::strong_count(&three), 1);
}
