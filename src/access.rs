//! Which files a configuration needs while the process runs. Pure, but for a look at where links lead.

use std::path::Path;

use otel_tcpretrans_exporters::otlp::Kind;
use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_pipeline::processors::k8s_attributes::AuthType;
use otel_tcpretrans_sandbox::Access;

use crate::components::{ExporterConfig, ExtensionConfig, ProcessorConfig, ReceiverConfig};
use crate::config::Loaded;

/// Where Kubernetes mounts the token of a pod's service account, which is read again and again.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What a configuration from these `sources` needs.
pub(crate) fn access(sources: &[String], Loaded { config, files, .. }: &Loaded) -> Access {
    let mut access = Access::default();
    sources.iter().map(Path::new).for_each(|file| access.read_file(file));
    files.iter().for_each(|file| access.read_file(file));
    for receiver in config.receivers.values() {
        match receiver {
            ReceiverConfig::Replay(replay) => access.read_file(&replay.file),
            ReceiverConfig::Tcpretrans(_) | ReceiverConfig::TcpStats(_) => {}
        }
    }
    for processor in config.processors.values() {
        match processor {
            ProcessorConfig::Networks(networks) => {
                networks.file.iter().for_each(|file| access.read_file(file));
            }
            ProcessorConfig::Cgroup(cgroup) => cgroup.root.iter().for_each(|root| access.read_folder(root)),
            ProcessorConfig::K8sAttributes(kubernetes) => match kubernetes.auth_type {
                AuthType::ServiceAccount => access.read_folder(Path::new(SERVICE_ACCOUNT)),
                AuthType::KubeConfig => kubeconfig(kubernetes.kube_config_path.as_deref(), &mut access),
                AuthType::None => {}
            },
            ProcessorConfig::Filter(_) | ProcessorConfig::Aggregate(_) | ProcessorConfig::Batch(_) => {}
        }
    }
    for exporter in config.exporters.values() {
        let files = match exporter {
            ExporterConfig::Otlp(otlp) => otlp.files(Kind::Otlp, &process_environment),
            ExporterConfig::OtlpHttp(otlp) => otlp.files(Kind::OtlpHttp, &process_environment),
            ExporterConfig::File(file) => {
                access.write_file(&file.path);
                continue;
            }
            ExporterConfig::Prometheus(_) | ExporterConfig::Debug(_) => continue,
        };
        files.iter().for_each(|file| access.read_file(file));
    }
    for extension in config.extensions.values() {
        match extension {
            ExtensionConfig::FileStorage(storage) => access.write_folder(&storage.directory),
        }
    }
    let own = config.service.telemetry.metrics.files(&process_environment);
    own.iter().for_each(|file| access.read_file(file));
    // Where the certificates of authorities are, if not where the system has them.
    for (variable, is_folder) in [("SSL_CERT_FILE", false), ("SSL_CERT_DIR", true)] {
        match process_environment(variable) {
            Some(path) if is_folder => access.read_folder(Path::new(&path)),
            Some(path) => access.read_file(Path::new(&path)),
            None => {}
        }
    }
    access
}

/// The file of `auth_type: kubeConfig`. The certificates that it names must be in its folder or in the system's.
fn kubeconfig(path: Option<&Path>, access: &mut Access) {
    if let Some(path) = path {
        return access.read_file(path);
    }
    if let Some(paths) = process_environment("KUBECONFIG") {
        std::env::split_paths(&paths).for_each(|path| access.read_file(&path));
    } else if let Some(home) = process_environment("HOME") {
        access.read_file(&Path::new(&home).join(".kube/config"));
    }
}
