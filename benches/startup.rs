//! What the release binary costs before its first event: the time from start to ready, and the memory when idle.
//!
//! It prints the numbers and does not fail because of them, since a slow machine is no error. It needs what `run`
//! needs. Without that it says so and exits with 77.

#![allow(clippy::print_stdout, unreachable_pub, missing_docs)] // a bench prints

mod report;

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use report::{Limit, Section, median};

const BINARY: &str = env!("CARGO_BIN_EXE_otel-tcpretrans");
/// The variable that names another binary to measure, such as the static one of the packages.
const OTHER: &str = "OTEL_TCPRETRANS_BINARY";
/// How many starts are timed. The first one may have to read from the disk.
const STARTS: usize = 9;
/// How long the process is idle before its memory is read. It is scraped once before that.
const IDLE: Duration = Duration::from_secs(60);
const START_BUDGET_MS: f64 = 150.0;
const MEMORY_BUDGET_MIB: f64 = 14.0;
/// CPU time when idle, in percent of a core.
const CPU_BUDGET: f64 = 0.1;
/// The exit code for what can't run here.
const UNSUPPORTED: u8 = 77;

fn main() -> io::Result<ExitCode> {
    let mut starts = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        match Agent::start()? {
            Ok(agent) => starts.push(agent.ready_after),
            Err(ended) => return Ok(ended.report()),
        }
    }
    let (memory, cpu) = match Agent::start()? {
        Ok(agent) => agent.idle()?,
        Err(ended) => return Ok(ended.report()),
    };
    let mut section = Section::new("Start, and memory when idle", &[]);
    let starts: Vec<_> = starts.iter().map(|start| start.as_secs_f64() * 1e3).collect();
    section.row("start to ready", "ms", &starts, &[]);
    for (name, kib) in [
        ("resident when idle", memory.resident),
        ("  of it anonymous", memory.anonymous),
        ("  of it files (code, ring buffer)", memory.files),
        ("  of it shared memory", memory.shared),
    ] {
        section.row(name, "MiB", &[mebibytes(kib)], &[]);
    }
    section.row("CPU when idle", "% of a core", &[cpu], &[]);
    section.bound("start to ready", median(&starts), Limit::AtMost(START_BUDGET_MS), "ms");
    section.bound("resident when idle", mebibytes(memory.resident), Limit::AtMost(MEMORY_BUDGET_MIB), "MiB");
    section.bound("CPU when idle", cpu, Limit::AtMost(CPU_BUDGET), "% of a core");
    section.finish("startup")?;
    Ok(ExitCode::SUCCESS)
}

fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// A full configuration: the kernel's counters and the audit, names of units and containers, health, a page, both signals
/// to a Collector that is not there yet, and the records on stdout.
fn config([closed, health, page]: [SocketAddr; 3], scraped: SocketAddr) -> String {
    format!(
        "\
receivers: {{ tcpretrans: , tcp_stats: }}
processors: {{ cgroup: , aggregate: , batch: }}
extensions: {{ health_check: {{ endpoint: '{health}' }}, zpages: {{ endpoint: '{page}' }} }}
exporters:
  otlp: {{ endpoint: 'http://{closed}' }}
  debug:
service:
  extensions: [health_check, zpages]
  telemetry: {{ metrics: {{ prometheus: '{scraped}' }} }}
  pipelines:
    metrics: {{ receivers: [tcpretrans, tcp_stats], processors: [cgroup, aggregate, batch], exporters: [otlp] }}
    logs: {{ receivers: [tcpretrans], processors: [cgroup, batch], exporters: [otlp, debug] }}
"
    )
}

/// A process that is ready. It is killed when this is dropped.
struct Agent {
    child: Child,
    scraped: SocketAddr,
    ready_after: Duration,
}

/// A process that ended before it was ready.
struct Ended {
    status: ExitStatus,
    log: String,
}

/// From /proc/PID/status, in KiB.
struct Memory {
    resident: u64,
    anonymous: u64,
    files: u64,
    shared: u64,
}

impl Agent {
    fn start() -> io::Result<Result<Agent, Ended>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("config.yaml");
        let scraped = free_port()?;
        fs::write(&file, config([free_port()?, free_port()?, free_port()?], scraped))?;
        let started = Instant::now();
        let mut child = Command::new(env::var(OTHER).unwrap_or_else(|_| BINARY.to_owned()))
            .arg("run")
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let mut log = String::new();
        while lines.read_line(&mut log)? > 0 {
            if log.lines().next_back().is_some_and(|line| line.contains(": ready ")) {
                let ready_after = started.elapsed();
                // A full pipe would block the process, so it is read on.
                thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
                return Ok(Ok(Agent { child, scraped, ready_after }));
            }
        }
        Ok(Err(Ended { status: child.wait()?, log }))
    }

    /// Its memory, and the CPU time that it takes, in percent of a core.
    fn idle(&self) -> io::Result<(Memory, f64)> {
        let mut scrape = TcpStream::connect(self.scraped)?;
        scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        scrape.read_to_string(&mut String::new())?;
        let before = self.cpu_seconds()?;
        thread::sleep(IDLE);
        let cpu = (self.cpu_seconds()? - before) / IDLE.as_secs_f64() * 100.0;
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {key} in /proc/PID/status")))
        };
        let memory = Memory {
            resident: kib("VmRSS")?,
            anonymous: kib("RssAnon")?,
            files: kib("RssFile")?,
            shared: kib("RssShmem")?,
        };
        Ok((memory, cpu))
    }

    /// User and system time of all its threads (proc(5): the first number of `schedstat`, in ns).
    fn cpu_seconds(&self) -> io::Result<f64> {
        let mut nanoseconds = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let time = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
            nanoseconds += time.ok_or_else(|| io::Error::other("no time in /proc/PID/task/TID/schedstat"))?;
        }
        Ok(nanoseconds / 1e9)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Nothing is lost, since it has nothing to drain.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    fn report(&self) -> ExitCode {
        eprint!("{}", self.log);
        eprintln!("startup: can't measure: the binary ended with {} instead of getting ready", self.status);
        let code = self.status.code().and_then(|code| u8::try_from(code).ok());
        if code == Some(UNSUPPORTED) {
            eprintln!("startup: needs root, or CAP_BPF and CAP_PERFMON, and a kernel with BTF");
        }
        ExitCode::from(code.unwrap_or(1).max(1))
    }
}

/// A loopback port where nobody listens.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
