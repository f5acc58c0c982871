//! `health_check` of a running agent.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otlp_backend::{Answer, Backend};
use rustix::process::Signal;
use serde_json::Value;

use crate::e2e::agent::Agent;
use crate::e2e::notified::Frozen;
use crate::e2e::page;
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::e2e::traffic::lossy_transfers;
use crate::run::{Run, slow_recording};

const PORT: u16 = 13133;
const SOON: Duration = Duration::from_secs(20);

/// The status and the body at a path.
fn ask(path: &str) -> (u16, Value) {
    let (head, body) = page::get(PORT, path);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn listens() -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).is_ok()
}

/// Waits until both questions are answered with `status`. Returns the last body.
fn wait_for_status(status: u16) -> Value {
    let mut last = Value::Null;
    wait_for(&format!("{status}"), SOON, || {
        let asked = ["/", "/readyz"].map(ask);
        last = asked[0].1.clone();
        asked.iter().all(|(now, _)| *now == status)
    });
    assert_eq!(ask("/livez").0, 200, "a restart would not help");
    last
}

fn exporter(body: &Value) -> &Value {
    &body["components"]["pipeline:logs"]["components"]["exporter:otlp"]
}

/// Seconds from a time of today, `2026-11-29T18:06:17.678Z`, until now.
fn lasts(since: &str) -> f64 {
    let of_day = since.split_once('T').expect("a time").1.trim_end_matches('Z');
    let then = of_day.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs_f64();
    (now - then).rem_euclid(86_400.0)
}

/// A backend that was never there, comes, goes and comes back; reloads; a drain.
pub fn follows_the_backend() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let records = slow_recording(&folder, 0, 100_000, Duration::from_millis(5));
        let mut backend = Backend::start();
        let url = backend.url();
        backend.stop();
        let run = Run {
            exporter: "retry_on_failure: { initial_interval: 50ms, max_interval: 100ms }",
            receiver: ", speed: realtime",
            ..Run::new(&records, "otlp", &url)
        };
        let health = |unhealthy_after: &str| {
            let service = "service: { extensions: [health_check], shutdown_timeout: 3s, ";
            let configuration = run.configuration().replace("service: { ", service);
            format!(
                "{configuration}extensions: {{ health_check: {{ unhealthy_after: {unhealthy_after} }} }}\n"
            )
        };
        let mut agent = Agent::replaying(&health("1s"));
        agent.0.wait_until("an answer", |_| listens());

        let body = wait_for_status(503);
        wait_for("the first failure", SOON, || exporter(&ask("/").1)["status"] == "StatusRecoverableError");
        assert_eq!((&body["status"], &body["healthy"]), (&"Server not available".into(), &false.into()));
        backend.resume();
        let body = wait_for_status(200);
        assert_eq!(body["status"], "Server available");
        assert_eq!(exporter(&body)["status"], "StatusOK");
        backend.stop();
        let body = wait_for_status(503);
        let since = exporter(&body)["status_time"].as_str().expect("a time").to_owned();
        assert!(lasts(&since) >= 1.0, "it may fail for a second: {body}");
        assert!(exporter(&body)["error"].as_str().unwrap().contains("refused"), "{body}");
        backend.resume();
        wait_for_status(200);

        agent.reload(&health("1s").replace("exporters: [otlp]", "exporters: [otlp, debug]"));
        agent.wait_until_said("reloaded");
        let components = ask("/").1["components"]["pipeline:logs"]["components"].clone();
        assert!(components["exporter:debug"].is_object(), "{components}");
        agent.reload(&health("2s"));
        agent.wait_until_said("restart needed: extensions.health_check changed");
        wait_for_status(200);

        backend.stop();
        agent.0.signal(Signal::TERM);
        agent.wait_until_said("draining");
        let body = wait_for_status(503);
        assert_eq!(body["error"], "it is stopping");
        assert_eq!(agent.0.exit_code(SOON), Some(0));
        assert!(!listens());
    });
}

/// The start waits for an API server that is not there: nothing is attached yet.
pub fn while_it_starts() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let records = slow_recording(&folder, 0, 2, Duration::from_secs(3600));
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(
            &kubeconfig,
            "apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'http://127.0.0.1:9' } }]
users: [{ name: u, user: {} }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
",
        )
        .unwrap();
        let waits = format!(
            "k8s_attributes: {{ auth_type: kubeConfig, kube_config_path: '{}', wait_for_metadata: true, \
             wait_for_metadata_timeout: 5s }}",
            kubeconfig.display()
        );
        let mut agent = Agent::replaying(&format!(
            "receivers: {{ replay: {{ file: '{}' }} }}
processors: {{ {waits} }}
extensions: {{ health_check: }}
service: {{ extensions: [health_check], pipelines: {{ logs: {{ processors: [k8s_attributes] }} }} }}
",
            records.display()
        ));
        agent.0.wait_until("an answer", |_| listens());
        let (status, body) = ask("/readyz");
        assert_eq!((status, &body["error"]), (503, &"not everything has started yet".into()));
        assert_eq!((ask("/").0, ask("/livez").0), (503, 200));
        assert_eq!(agent.0.exit_code(SOON), Some(1));
    });
}

/// The backend is slow, and no request fails.
pub fn a_full_queue() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let records = slow_recording(&folder, 0, 400_000, Duration::from_micros(50));
        let backend = Backend::start();
        backend.then(Answer::Delay(Duration::from_millis(500)));
        let url = backend.url();
        let run = Run {
            exporter: "compression: none, sending_queue: { queue_size: 64KiB }",
            receiver: ", speed: realtime",
            ..Run::new(&records, "otlp", &url)
        };
        let started = "service: { extensions: [health_check], shutdown_timeout: 1s, ";
        let configuration = run.configuration().replace("service: { ", started);
        let mut agent = Agent::replaying(&format!(
            "{configuration}extensions: {{ health_check: {{ unhealthy_after: 1s, response_body: {{ unhealthy: down }} }} }}\n"
        ));
        agent.0.wait_until("an answer", |_| listens());
        let is_full = |body: &Value| {
            let error = exporter(body)["error"].as_str().unwrap_or_default();
            error.starts_with("the sending queue has been full for ")
        };
        wait_for("a full queue", SOON, || {
            let (status, body) = ask("/readyz");
            status == 503 && is_full(&body)
        });
        assert_eq!(ask("/"), (503, Value::String("down".to_owned())));
        agent.0.signal(Signal::TERM);
        assert_eq!(agent.0.exit_code(SOON), Some(0));
    });
}

/// A reader that reads nothing any more: only a restart helps, so the process is not alive.
pub fn a_reader_that_hangs() {
    isolated(|| {
        let agent =
            Agent::start("{ extensions: { health_check: }, service: { extensions: [health_check] } }");
        let frozen = Frozen::threads(agent.0.pid(), "tcpretrans");
        assert_eq!(["/", "/readyz", "/livez"].map(|path| ask(path).0), [200; 3], "it has nothing to read");
        lossy_transfers(2, &[]);
        wait_for("503", SOON, || ["/", "/readyz", "/livez"].map(|path| ask(path).0) == [503; 3]);
        assert_eq!(ask("/livez").1, "it hangs: receiver tcpretrans\n");
        assert_eq!(ask("/").1["error"], "it hangs: receiver tcpretrans");
        drop(frozen);
        wait_for("200", SOON, || ["/", "/readyz", "/livez"].map(|path| ask(path).0) == [200; 3]);
        agent.finish();
    });
}
