//! What the release binary costs before its first event: the time from start to ready, and the memory when idle.
//!
//! It prints the numbers and does not fail because of them, since a slow machine is no error. It needs what `run`
//! needs. Without that it says so and exits with 77.

#![allow(clippy::print_stdout, unreachable_pub, missing_docs)] // a bench prints

mod report;

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use report::{Limit, Section, median};

const BINARY: &str = env!("CARGO_BIN_EXE_otel-tcpretrans");
/// How many starts are timed. The first one may have to read from the disk.
const STARTS: usize = 9;
/// How long the process is idle before its memory is read. It is scraped once before that.
const IDLE: Duration = Duration::from_secs(5);
const START_BUDGET_MS: f64 = 500.0;
const MEMORY_BUDGET_MIB: f64 = 16.0;
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
    let memory = match Agent::start()? {
        Ok(agent) => agent.idle_memory()?,
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
    section.bound("start to ready", median(&starts), Limit::AtMost(START_BUDGET_MS), "ms");
    section.bound("resident when idle", mebibytes(memory.resident), Limit::AtMost(MEMORY_BUDGET_MIB), "MiB");
    section.finish("startup")?;
    Ok(ExitCode::SUCCESS)
}

fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// A typical configuration: both signals to a Collector that is not there yet, and the records on stdout.
fn config(closed: SocketAddr, scraped: SocketAddr) -> String {
    format!(
        "\
receivers: {{ tcpretrans: }}
processors: {{ aggregate: , batch: }}
exporters:
  otlp: {{ endpoint: 'http://{closed}' }}
  debug:
service:
  telemetry: {{ metrics: {{ prometheus: '{scraped}' }} }}
  pipelines:
    metrics: {{ receivers: [tcpretrans], processors: [aggregate, batch], exporters: [otlp] }}
    logs: {{ receivers: [tcpretrans], processors: [batch], exporters: [otlp, debug] }}
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
        fs::write(&file, config(free_port()?, scraped))?;
        let started = Instant::now();
        let mut child = Command::new(BINARY)
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

    fn idle_memory(&self) -> io::Result<Memory> {
        let mut scrape = TcpStream::connect(self.scraped)?;
        scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        scrape.read_to_string(&mut String::new())?;
        thread::sleep(IDLE);
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {key} in /proc/PID/status")))
        };
        Ok(Memory {
            resident: kib("VmRSS")?,
            anonymous: kib("RssAnon")?,
            files: kib("RssFile")?,
            shared: kib("RssShmem")?,
        })
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
