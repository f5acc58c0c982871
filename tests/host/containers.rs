//! Whose socket it is, by real containers: the OCI runtime runc starts them, with the cgroups that the engines ask it for.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::cgroups::remove;
use crate::e2e::agent::{Agent, Finished};
use crate::e2e::background::Background;
use crate::e2e::support::namespace::isolated;
use crate::e2e::support::traffic::{listen, lose_one_in};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const CONTAINERS: usize = 50;
/// How long all containers may take. Each ends about two seconds after its start.
const PATIENCE: Duration = Duration::from_secs(60);
const POD_UID: &str = "1c0ffee0-1234-4abc-9def-0123456789ab";

/// A container's id, and where its engine would put its cgroup.
struct Asked {
    id: String,
    cgroup: String,
    runtime: Option<&'static str>,
    in_pod: bool,
}

impl Asked {
    /// As docker, podman and the kubelet ask for, in turn.
    fn of(number: usize) -> Asked {
        let id = format!("{number:02x}").repeat(32);
        let (cgroup, runtime, in_pod) = match number % 3 {
            0 => (format!("docker/{id}"), Some("docker"), false),
            1 => (format!("libpod_parent/libpod-{id}"), Some("podman"), false),
            _ => (format!("kubepods/besteffort/pod{POD_UID}/{id}"), None, true),
        };
        Asked { id, cgroup, runtime, in_pod }
    }
}

/// Short-lived containers, many at a time: each record names the right container and the right process in it.
pub fn are_named() {
    isolated(|| {
        let (listener, port) = listen(LOCALHOST);
        lose_one_in(&listener, 1);
        let agent = Agent::start(
            "processors: { cgroup: }\nservice: { pipelines: { logs: { processors: [cgroup] } } }",
        );
        let cgroups = Cgroups(format!("tcpretrans-test-{}", std::process::id()));
        let containers: Vec<_> = (0..CONTAINERS)
            .map(|number| {
                let asked = Asked::of(number);
                let folder = tempfile::tempdir().expect("a folder");
                bundle(folder.path(), &format!("/{}/{}", cgroups.0, asked.cgroup), port);
                (runc(&format!("{}-{number}", cgroups.0), folder), asked)
            })
            .collect();
        let ended = containers.into_iter().map(|(mut process, asked)| {
            process.exit_code(PATIENCE); // nc's own: it reached nobody
            let pid = process.read("pid").trim().to_owned();
            assert!(!pid.is_empty(), "{}", process.stderr());
            (pid, asked)
        });
        let ended: Vec<(String, Asked)> = ended.collect();
        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();

        let mut named = 0;
        for (pid, asked) in &ended {
            let of_pid = printed.records.iter().filter(|record| record["process.pid"] == *pid);
            let of_pid: Vec<_> = of_pid.collect();
            assert!(!of_pid.is_empty(), "nothing of {}: {:#?}", asked.id, printed.records);
            for record in of_pid {
                let has = |name: &str| record.get(name).map(String::as_str);
                assert_eq!(has("container.id"), Some(asked.id.as_str()), "{record:?}");
                assert_eq!(has("process.command"), Some("busybox"), "{record:?}");
                assert_eq!(has("k8s.pod.uid"), asked.in_pod.then_some(POD_UID), "{record:?}");
                assert!(
                    asked.runtime.is_none() || has("container.runtime.name") == asked.runtime,
                    "{record:?}"
                );
                named += 1;
            }
        }
        assert_eq!(named, printed.records.len(), "{:#?}", printed.records);
        println!("    {} containers, {named} records, all of them named right", ended.len());
    });
}

/// Writes an OCI bundle: busybox and a configuration. The container has the network of this thread, and an own pid
/// namespace. It connects to where no SYN is taken, and gives up after two seconds.
fn bundle(folder: &Path, cgroup: &str, port: u16) {
    let bin = folder.join("rootfs/bin");
    fs::create_dir_all(&bin).expect("a folder");
    fs::create_dir_all(folder.join("rootfs/proc")).expect("a folder");
    fs::copy("/bin/busybox", bin.join("busybox")).expect("busybox-static (see .ci/setup)");
    fs::set_permissions(bin.join("busybox"), fs::Permissions::from_mode(0o755)).expect("its mode");
    symlink("busybox", bin.join("nc")).expect("a link");
    let config = json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["/bin/busybox", "nc", "-w", "2", LOCALHOST.to_string(), port.to_string()],
            "cwd": "/",
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
        "linux": { "cgroupsPath": cgroup, "namespaces": [{ "type": "mount" }, { "type": "pid" }] },
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("config.json");
}

fn runc(name: &str, folder: TempDir) -> Background {
    let root = folder.path().join("state");
    let mut command = Command::new("runc");
    command.arg("--root").arg(root).args(["run", "--pid-file", "pid", name]);
    Background::start("runc", &mut command, folder)
}

/// Folders of this name, in all hierarchies. runc removes a container's folders, and not those above.
struct Cgroups(String);

impl Drop for Cgroups {
    fn drop(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let hierarchies = mounts.lines().filter(|line| line.contains(" - cgroup"));
        for hierarchy in hierarchies.filter_map(|line| line.split(' ').nth(4)) {
            remove_all(&PathBuf::from(hierarchy).join(&self.0));
        }
    }
}

/// Removes a cgroup and those below it. The files in their folders are the kernel's.
fn remove_all(cgroup: &Path) {
    let below = fs::read_dir(cgroup).into_iter().flatten().flatten();
    below
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .for_each(|entry| remove_all(&entry.path()));
    remove(cgroup);
}
