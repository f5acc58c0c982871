//! etcd and API servers, on loopback of the test's own network namespace.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::e2e::background::Background;
use crate::e2e::harness::repository;
use crate::e2e::support::namespace::wait_for;

const ETCD: u16 = 2379;
const ETCD_PEERS: u16 = 2380;
/// Two servers of one cluster.
pub const FIRST: u16 = 6443;
pub const SECOND: u16 = 6444;
/// The server's version, for Helm.
pub const VERSION: &str = "1.20";
/// How long a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(120);

/// Who asks: the tests, an agent with the name of the chart's service account, and one without any role.
#[derive(Clone, Copy)]
pub enum User {
    Admin,
    Agent,
    Nobody,
}

impl User {
    fn token(self) -> &'static str {
        match self {
            User::Admin => "admin-token",
            User::Agent => "agent-token",
            User::Nobody => "nobody-token",
        }
    }
}

/// A cluster: its state, its keys, and a runtime for its clients.
pub struct Cluster {
    pub runtime: Runtime,
    binaries: PathBuf,
    folder: TempDir,
    _etcd: Background,
}

impl Cluster {
    /// Starts etcd. No API server runs yet.
    pub fn start() -> Cluster {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let binaries = binaries();
        let folder = tempfile::tempdir().expect("a folder");
        write_keys(folder.path());
        let mut command = Command::new(binaries.join("etcd"));
        command.env_clear().args(["--data-dir=data", "--unsafe-no-fsync", "--log-level=error"]);
        for (flag, port) in [
            ("listen-client-urls", ETCD),
            ("advertise-client-urls", ETCD),
            ("listen-peer-urls", ETCD_PEERS),
            ("initial-advertise-peer-urls", ETCD_PEERS),
        ] {
            command.arg(format!("--{flag}=http://127.0.0.1:{port}"));
        }
        command.arg(format!("--initial-cluster=default=http://127.0.0.1:{ETCD_PEERS}"));
        let mut etcd = Background::start("etcd", &mut command, tempfile::tempdir().expect("a folder"));
        etcd.wait_until("ready", |_| TcpStream::connect((Ipv4Addr::LOCALHOST, ETCD)).is_ok());
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        Cluster { runtime, binaries, folder, _etcd: etcd }
    }

    /// Starts an API server, and waits until it is ready.
    pub fn serve(&self, port: u16) -> Background {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new(self.binaries.join("kube-apiserver"));
        command.env_clear().args([
            format!("--etcd-servers=http://127.0.0.1:{ETCD}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            // The namespace has no other address. Nobody looks for the server by this one.
            "--advertise-address=192.0.2.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            format!("--tls-cert-file={}", path("server.crt")),
            format!("--tls-private-key-file={}", path("server.key")),
            format!("--service-account-key-file={}", path("server.pub")),
            format!("--service-account-signing-key-file={}", path("server.key")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--token-auth-file={}", path("tokens.csv")),
            "--authorization-mode=RBAC".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            format!("--cert-dir={}", path("certificates")),
        ]);
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Background::start("kube-apiserver", &mut command, folder);
        let client = self.client(User::Admin, port);
        wait_for("the API server", START, || {
            assert!(server.is_running(), "the API server has ended");
            let request = http::Request::get("/readyz").body(Vec::new()).expect("a request");
            self.runtime.block_on(client.request_text(request)).is_ok_and(|answer| answer == "ok")
        });
        server
    }

    /// The path of a kubeconfig.
    pub fn kubeconfig(&self, user: User, port: u16) -> PathBuf {
        let token = user.token();
        let path = self.folder.path().join(format!("{token}-{port}.yaml"));
        let authority = self.folder.path().join("ca.crt");
        let text = format!(
            "{{ apiVersion: v1, kind: Config, current-context: test,
  clusters: [{{ name: test, cluster: {{ server: 'https://127.0.0.1:{port}', certificate-authority: '{}' }} }}],
  users: [{{ name: test, user: {{ token: {token} }} }}],
  contexts: [{{ name: test, context: {{ cluster: test, user: test }} }}] }}\n",
            authority.display()
        );
        fs::write(&path, text).expect("writing a file");
        path
    }

    /// Writes the files of a service account, as the kubelet does for a pod.
    pub fn write_account(&self, folder: &Path, user: User) {
        fs::create_dir_all(folder).expect("a folder");
        fs::copy(self.folder.path().join("ca.crt"), folder.join("ca.crt")).expect("copying a file");
        fs::write(folder.join("token"), user.token()).expect("writing a file");
        fs::write(folder.join("namespace"), "default").expect("writing a file");
    }

    /// A client of the tests' own.
    pub fn client(&self, user: User, port: u16) -> Client {
        let file = Kubeconfig::read_from(self.kubeconfig(user, port)).expect("a kubeconfig");
        self.runtime.block_on(async {
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            Client::try_from(config.expect("a configuration")).expect("a client")
        })
    }
}

/// A certificate of the server by an authority of the test's own, and the tokens.
fn write_keys(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (authority_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let signed = authority.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(authority, authority_key);
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let server = server.signed_by(&key, &issuer).expect("a certificate");
    let tokens = "admin-token,admin,1,\"system:masters\"\nagent-token,system:serviceaccount:observability:t-otel-tcpretrans,2\nnobody-token,nobody,3\n";
    for (name, text) in [
        ("ca.crt", signed.pem()),
        ("server.crt", server.pem()),
        ("server.key", key.serialize_pem()),
        ("server.pub", key.public_key_pem()),
        ("tokens.csv", tokens.to_owned()),
    ] {
        fs::write(folder.join(name), text).expect("writing a file");
    }
}

/// The folder of the cached binaries. They are built if there are none yet.
fn binaries() -> PathBuf {
    let output = Command::new(repository().join("tests/kubernetes/build.sh")).output().expect("build.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).expect("UTF-8").trim_end())
}
