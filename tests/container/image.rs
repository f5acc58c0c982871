//! An image of this test's own, in a storage of its own, and what is in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use crate::e2e::harness::repository;

const NAME: &str = "localhost/otel-tcpretrans:test";
/// The host that the test's authority has signed a certificate for.
pub const BACKEND: &str = "backend.test";

/// The image that all tests share, built by the first of them.
static IMAGE: OnceLock<Image> = OnceLock::new();

/// The image, and podman with a storage of its own.
pub struct Image {
    folder: TempDir,
    /// A server's certificate by the authority that the image trusts, and its key.
    pub certificate: (rcgen::Certificate, KeyPair),
}

impl Image {
    /// The image that all tests share.
    pub fn shared() -> &'static Image {
        IMAGE.get_or_init(Image::build)
    }

    /// Removes the image, its storage, and containers of failed tests, which go on without their podman.
    pub fn remove() {
        if let Some(image) = IMAGE.get() {
            let words = image.podman();
            let _ = Command::new(&words[0])
                .args(&words[1..])
                .args(["rm", "--all", "--force", "--time=0"])
                .output();
            let _ = fs::remove_dir_all(image.folder.path());
        }
    }

    /// Builds it from the static binary, with an authority of the test's own in place of this machine's.
    fn build() -> Image {
        let binaries = std::env::var("OTEL_TCPRETRANS_BINARIES");
        let binaries = binaries.expect("OTEL_TCPRETRANS_BINARIES names no folder; run `make test-container`");
        let folder = tempfile::tempdir().expect("a folder");
        let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let (authority_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let signed = authority.self_signed(&authority_key).expect("a certificate");
        let bundle = folder.path().join("authorities.pem");
        fs::write(&bundle, signed.pem()).expect("writing a file");
        let server = CertificateParams::new(vec![BACKEND.to_owned()]).expect("parameters");
        let server = server.signed_by(&key, &Issuer::new(authority, authority_key)).expect("a certificate");
        let image = Image { folder, certificate: (server, key) };

        let mut command = Command::new(repository().join("deploy/container/build.sh"));
        command.env("IMAGE", NAME).env("BINARIES", binaries).env("CA_BUNDLE", bundle);
        succeeded(command.env("CONTAINER_ENGINE", image.podman().join(" ")));
        image
    }

    /// Podman's words for this storage. It has no systemd here, and may not raise limits.
    fn podman(&self) -> Vec<String> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let fixed =
            ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime=runc", "--events-backend=file"];
        let own = [format!("--root={}", path("storage")), format!("--runroot={}", path("run"))];
        std::iter::once("podman".to_owned()).chain(own).chain(fixed.map(str::to_owned)).collect()
    }

    /// `podman run` with the network of this thread and least privileges, these options, and the image. The container's arguments
    /// come after it.
    pub fn run(&self, capabilities: &[&str], options: &[&str]) -> Vec<String> {
        let mut words = self.podman();
        let limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];
        words.extend(
            ["run", "--rm", "--network=host", "--read-only", "--read-only-tmpfs=false"].map(str::to_owned),
        );
        words.extend(limits.map(str::to_owned));
        words.push("--cap-drop=ALL".to_owned());
        words.extend(capabilities.iter().map(|capability| format!("--cap-add={capability}")));
        words.extend([
            "--security-opt=no-new-privileges".to_owned(),
            format!("--security-opt=seccomp={}", seccomp()),
        ]);
        words.extend(options.iter().map(|option| (*option).to_owned()));
        words.push(NAME.to_owned());
        words
    }

    /// What podman knows of it.
    fn inspected(&self) -> Value {
        let output = self.do_podman(&["image", "inspect", NAME]);
        let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        value[0].clone()
    }

    fn do_podman(&self, arguments: &[&str]) -> Output {
        let words = self.podman();
        succeeded(Command::new(&words[0]).args(&words[1..]).args(arguments))
    }
}

/// The path of the profile that podman 5 and CRI-O use.
fn seccomp() -> String {
    let output = succeeded(&mut Command::new(repository().join("tests/container/fetch.sh")));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

/// Runs a command that must succeed.
#[track_caller]
pub fn succeeded(command: &mut Command) -> Output {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

pub fn has_four_files_and_says_what_it_is() {
    let image = Image::shared();
    let inspected = image.inspected();
    let config = &inspected["Config"];
    assert_eq!(config["Entrypoint"], serde_json::json!(["/otel-tcpretrans"]));
    assert_eq!(config["Cmd"], serde_json::json!(["run", "--config", "/etc/otel-tcpretrans/config.yaml"]));
    assert_eq!(config["User"], "0:0");
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].clone();
    assert_eq!(label("title"), "otel-tcpretrans");
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert!(label("revision").as_str().is_some_and(|revision| revision.len() == 40), "{inspected}");
    assert_eq!((&inspected["Architecture"], &inspected["Os"]), (&"amd64".into(), &"linux".into()));

    let mounted = image.do_podman(&["image", "mount", NAME]);
    let root = String::from_utf8(mounted.stdout).expect("UTF-8");
    let root = Path::new(root.trim_end());
    let mut found = BTreeSet::new();
    files(root, root, &mut found);
    let expected = [
        "LICENSE",
        "etc/otel-tcpretrans/config.yaml",
        "etc/ssl/certs/ca-certificates.crt",
        "otel-tcpretrans",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
    println!("    {} bytes", fs::metadata(root.join("otel-tcpretrans")).expect("the binary").len());
    image.do_podman(&["image", "unmount", NAME]);
}

/// The files below a folder, by their path from `root`.
fn files(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if entry.file_type().expect("a type").is_dir() {
            files(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).expect("below").display().to_string());
        }
    }
}

pub fn its_default_configuration_is_valid() {
    let image = Image::shared();
    let words = image.run(&[], &[]);
    let validate = ["validate", "--config", "/etc/otel-tcpretrans/config.yaml"];
    succeeded(Command::new(&words[0]).args(&words[1..]).args(validate));
    let words = image.run(&["BPF", "PERFMON"], &[]);
    let check = succeeded(Command::new(&words[0]).args(&words[1..]).arg("check"));
    let report: serde_yaml::Value = serde_yaml::from_slice(&check.stdout).expect("YAML");
    assert_eq!(report["plan"]["hooks"][0], "tp_btf");
}
