//! No descriptor is used after it is closed.

use std::fs;
use std::process::Command;

use crate::e2e::harness::BINARY;
use crate::e2e::support::namespace::isolated;

/// After its close, the number of a descriptor may belong to another file. libbpf removes the perf events from their
/// map when it frees the perf buffer, and a trace of the system calls shows whether the map is still open then.
pub fn none_is_used_after_its_close() {
    isolated(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let config = "receivers: { tcpretrans: { transport: perf } }\n\
                      exporters: { debug: }\n\
                      service: { pipelines: { logs: { receivers: [tcpretrans], exporters: [debug] } } }\n";
        fs::write(folder.path().join("config.yaml"), config).expect("writing");
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-o", "trace", "-e", "trace=bpf,ioctl,epoll_ctl"]).arg(BINARY);
        traced.args([
            "record",
            "--config",
            "config.yaml",
            "--output",
            "recording.otr",
            "--duration",
            "200ms",
        ]);
        let output = traced.current_dir(&folder).output().expect("strace");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let trace = fs::read_to_string(folder.path().join("trace")).expect("a trace");
        assert!(trace.contains("BPF_MAP_DELETE_ELEM"), "no perf buffer was freed");
        let bad: Vec<_> = trace.lines().filter(|line| line.contains("EBADF")).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    });
}
