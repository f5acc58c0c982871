//! A thousand clients of each listener that send nothing, send byte by byte, send garbage, or do not read. The pipelines
//! deliver what they deliver without them, and a proper client still has its answer.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use otlp_backend::{Answer, Backend};
use rustix::process::Signal;

use crate::e2e::support::namespace::{isolated, wait_for};
use crate::run::{Run, ended, recording};

const CLIENTS: usize = 1000;
const SOON: Duration = Duration::from_secs(10);
/// So often an attacker opens again what was closed: a thousand times per second over all listeners.
const PACE: Duration = Duration::from_millis(5);
/// Each listener, and a request to it.
const LISTENERS: [(u16, &str); 5] =
    [(8888, "/metrics"), (9464, "/metrics"), (13133, "/livez"), (55679, "/"), (13132, "")];
/// A response that has no end, which is attacked beside them.
const ENDLESS: (u16, &str) = (55679, "/records");
/// What a client of HTTP/2 sends first (RFC 9113, section 3.4), and a frame of settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

pub fn change_nothing() {
    isolated(|| {
        fs::write("/proc/sys/net/ipv4/ip_local_port_range", "10000 60999").expect("many ports");
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, 20_000);
        let backend = Backend::start();
        backend.then(Answer::Delay(Duration::from_millis(100)));
        let url = backend.url();
        let exporter = "compression: none, sending_queue: { queue_size: 1MiB, on_full: block }";
        let configuration = Run { exporter, receiver: ", loop: true", ..Run::new(&records, "otlp", &url) }
            .configuration()
            .replace("exporters: { ", "exporters: { prometheus: { endpoint: '127.0.0.1:9464' }, ")
            .replace(
                "service: { ",
                "extensions: { health_check: { grpc: {} }, zpages: }
service: { extensions: [health_check, zpages], telemetry: { metrics: { prometheus: '127.0.0.1:8888' } }, ",
            )
            .replace("pipelines: { ", "pipelines: { metrics: { exporters: [prometheus] }, ");
        let mut agent = crate::e2e::agent::Agent::replaying(&configuration);
        agent.wait_until_said("ready");

        let (stop, opened) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let attacked = LISTENERS.into_iter().chain([ENDLESS]);
        let attackers: Vec<_> = attacked
            .map(|(port, path)| {
                let (stop, opened) = (Arc::clone(&stop), Arc::clone(&opened));
                thread::spawn(move || attack(port, path, &stop, &opened))
            })
            .collect();
        wait_for("all clients", Duration::from_secs(60), || {
            opened.load(Ordering::Relaxed) >= (CLIENTS * attackers.len()) as u64
        });
        let before = backend.requests();
        let mut slowest = Duration::ZERO;
        let mut all_answer = || {
            for (port, path) in LISTENERS {
                let asked = Instant::now();
                wait_for(&format!("an answer at {port}"), SOON, || answers(port, path));
                slowest = slowest.max(asked.elapsed());
            }
        };
        (0..3).for_each(|_| all_answer());
        wait_for("delivery goes on", SOON, || backend.requests() > before + 10);
        stop.store(true, Ordering::Relaxed);
        attackers.into_iter().for_each(|attacker| attacker.join().expect("an attacker"));
        all_answer();
        let opened = opened.load(Ordering::Relaxed);

        agent.0.signal(Signal::TERM);
        let books = ended(agent);
        books.assert_nothing_lost();
        let delivered = books.exporter("logs", "otlp", "delivered");
        println!(
            "    {opened} connections, the slowest answer after {slowest:?}, {delivered} records delivered"
        );
        assert_eq!(delivered, books.received());
        assert_eq!(backend.records() + backend.repetitions(), delivered);
    });
}

/// Whether a proper client has an answer.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(SOON))?;
        if path.is_empty() {
            stream.write_all(PREFACE)?;
            let mut settings = vec![0; 9];
            stream.read_exact(&mut settings)?;
            return Ok(settings);
        }
        stream.write_all(request(path).as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| match path {
        "" => answer[3] == 4, // a frame of settings
        _ => answer.starts_with(b"HTTP/1.1 200 "),
    })
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// Keeps a thousand connections open. What the server closes is opened again.
fn attack(port: u16, path: &str, stop: &AtomicBool, opened: &AtomicU64) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut clients: Vec<Option<TcpStream>> = (0..CLIENTS).map(|_| None).collect();
    for round in 0_usize.. {
        for (index, client) in clients.iter_mut().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if client.is_none() {
                // The backlog may be full.
                let connected = TcpStream::connect_timeout(&address, Duration::from_secs(1));
                *client = connected.ok().filter(|stream| stream.set_nonblocking(true).is_ok());
                opened.fetch_add(u64::from(client.is_some()), Ordering::Relaxed);
                if round > 0 {
                    thread::sleep(PACE);
                }
            }
            let Some(stream) = client else { continue };
            let whole = if path.is_empty() { PREFACE.to_vec() } else { request(path).into_bytes() };
            let sent = match index % 4 {
                0 => stream.write(&[]),
                1 => stream.write(&whole[round % whole.len()..][..1]),
                2 => stream.write(&[0xff, 0, b'\n', b'\r'].repeat(16)),
                _ if round == 0 => stream.write(&whole), // and it never reads
                _ => stream.write(b"GET"),
            };
            if sent.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock) {
                *client = None;
            }
        }
    }
}
