//! The image at work.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use otlp_backend::Backend;
use rustix::process::Signal;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use crate::e2e::agent::{Agent, log};
use crate::e2e::background::Background;
use crate::e2e::status::{BPF_AND_PERFMON, capabilities, of_process};
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::e2e::traffic::lossy_transfers;
use crate::image::{BACKEND, Image};

const TWO: [&str; 2] = ["BPF", "PERFMON"];

/// Each retransmission of this namespace is counted once, by a process that has the two capabilities, no way to others, and a seccomp filter.
pub fn counts_with_two_capabilities() {
    isolated(|| {
        let image = Image::shared();
        let folder = tempfile::tempdir().expect("a folder");
        let volume = format!("--volume={}:/config:ro", folder.path().display());
        let words = image.run(&TWO, &[&volume, "--workdir=/config"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let agent = Agent::start_with(&words, folder);

        let status = of_process(pid_in_container(&agent));
        let bounding = capabilities(&status, "CapBnd");
        assert_eq!(bounding & !BPF_AND_PERFMON, 0, "{bounding:x}");
        assert_eq!((status["NoNewPrivs"].as_str(), status["Seccomp"].as_str()), ("1", "2"));
        let log = log(&agent.0);
        let receiving = log.iter().find(|line| line["message"] == "receiving").expect("receiving");
        let facts = receiving["facts"].as_str().expect("facts");
        assert!(facts.starts_with("hook=tp_btf transport=ringbuf"), "{facts}");

        let traffic = lossy_transfers(8, &[]);
        let finished = agent.finish();
        finished.printed.assert_counted(&finished.books, traffic.retrans_segs, &traffic.connections);
        println!("    {} segments", traffic.retrans_segs);
    });
}

/// The agent's own process: podman, conmon and runc stand between it and this test. No other of its kind is in this network namespace.
fn pid_in_container(agent: &Agent) -> u32 {
    let folders = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    let own = agent.0.pid();
    let candidates: Vec<u32> = pids
        .filter(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let link = fs::read_link(format!("/proc/{pid}/ns/net")).ok();
            *pid != own
                && command.starts_with(b"/otel-tcpretrans\0")
                && link == fs::read_link("/proc/thread-self/ns/net").ok()
        })
        .collect();
    assert_eq!(candidates.len(), 1, "{candidates:?}");
    candidates[0]
}

pub fn without_a_capability_it_says_which() {
    let image = Image::shared();
    for (given, lacking) in [("BPF", "CAP_PERFMON"), ("PERFMON", "CAP_BPF")] {
        let words = image.run(&[given], &[]);
        let output = Command::new(&words[0]).args(&words[1..]).output().expect("podman");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(77), "{said}");
        assert!(said.contains(lacking), "{said}");
    }
}

/// A server on loopback that answers for the backend's name, and the options by which the container asks it.
fn dns() -> (Background, &'static str) {
    let mut command = Command::new("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--log-facility=-",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
    ]);
    command.args([
        "--user=root",
        "--group=root",
        "--pid-file=",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
    ]);
    command.arg(format!("--address=/{BACKEND}/127.0.0.1"));
    let mut server = Background::start("dnsmasq", &mut command, tempfile::tempdir().expect("a folder"));
    server.wait_until("started", |server| server.stderr().contains("started, version"));
    (server, "--dns=127.0.0.1")
}

/// The container with the image's own configuration, sending to this URL.
fn sending_to(image: &Image, url: &str, options: &[&str]) -> Background {
    let endpoint = format!("--env=OTEL_EXPORTER_OTLP_ENDPOINT={url}");
    let cgroup = "--volume=/sys/fs/cgroup:/host/sys/fs/cgroup:ro";
    let soon = "--env=OTEL_TCPRETRANS__SERVICE__SHUTDOWN_TIMEOUT=2s";
    let words = image.run(&TWO, &[&[endpoint.as_str(), cgroup, soon], options].concat());
    let mut command = Command::new(&words[0]);
    command.env_clear().args(&words[1..]);
    let mut container =
        Background::start("the container", &mut command, tempfile::tempdir().expect("a folder"));
    container.wait_until("ready", |container| container.stderr().contains(" ready"));
    container
}

/// A static program on an image without nsswitch.conf and without NSS libraries still asks the DNS.
pub fn finds_its_backend_by_dns() {
    isolated(|| {
        let image = Image::shared();
        let (_server, dns) = dns();
        let backend = Backend::start();
        let port = backend.url().rsplit(':').next().expect("a port").to_owned();
        let mut container = sending_to(image, &format!("http://{BACKEND}:{port}"), &[dns]);
        let own: u16 = port.parse().expect("a port");
        lossy_transfers(1, &[own]);
        wait_for("records at the backend", Duration::from_secs(30), || backend.records() > 0);
        container.signal(Signal::TERM);
        assert_eq!(container.exit_code(Duration::from_secs(30)), Some(0), "{}", container.stderr());
    });
}

/// A TLS handshake with a server whose authority is known from the image alone.
pub fn trusts_the_authorities_in_the_image() {
    isolated(|| {
        let image = Image::shared();
        let (_server, dns) = dns();
        let (certificate, key) = &image.certificate;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = config.expect("versions").with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("a certificate");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let port = listener.local_addr().expect("an address").port();
        let handshake = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accept");
            stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
            let mut connection = ServerConnection::new(Arc::new(config)).expect("a connection");
            while connection.is_handshaking() {
                connection.complete_io(&mut stream).expect("a handshake");
            }
        });
        let http = "--env=OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf";
        let mut container = sending_to(image, &format!("https://{BACKEND}:{port}"), &[dns, http]);
        lossy_transfers(1, &[port]);
        handshake.join().expect("the handshake");
        container.signal(Signal::TERM);
        container.exit_code(Duration::from_secs(30)); // not 0: its backend has taken nothing
    });
}
