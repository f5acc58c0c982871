//! What the agent listens on if the configuration names no address.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::e2e::agent::log;
use crate::e2e::background::Background;
use crate::e2e::harness::BINARY;
use crate::e2e::support::namespace::isolated;
use crate::run::endless;

/// Everything that listens, with its defaults.
pub fn by_default() {
    isolated(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = endless(&folder);
        let configuration = format!(
            "receivers: {{ replay: {{ file: '{}', speed: realtime }} }}
exporters: {{ debug: }}
extensions: {{ health_check: {{ grpc: {{}} }}, zpages: }}
service: {{ extensions: [health_check, zpages], pipelines: {{ logs: {{ receivers: [replay], exporters: [debug] }} }} }}
",
            recording.display()
        );
        fs::write(folder.path().join("config.yaml"), configuration).expect("writing a file");
        let mut command = Command::new(BINARY);
        command.env_clear().args(["run", "--config", "config.yaml", "--log-format", "json"]);
        let mut agent = Background::start("the agent", &mut command, folder);
        let is_ready = |agent: &Background| log(agent).iter().any(|line| line["message"] == "ready");
        agent.wait_until("ready", is_ready);
        let listening = listening(agent.pid());
        let expected = [8888, 13132, 13133, 55679].map(|port| format!("0100007F:{port:04X}"));
        assert_eq!(listening, BTreeSet::from(expected), "127.0.0.1 in the kernel's writing");
        agent.signal(Signal::TERM);
        assert_eq!(agent.exit_code(Duration::from_secs(20)), Some(0));
    });
}

/// The addresses that a process's network namespace listens on (proc_pid_net(5)). The test's own namespace has no other
/// process.
fn listening(pid: u32) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in ["tcp", "tcp6", "udp", "udp6"] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{file}")).expect("the kernel's table");
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A: LISTEN; of UDP, every socket.
            if file.starts_with("udp") || fields[3] == "0A" {
                all.insert(fields[1].to_owned());
            }
        }
    }
    all
}
