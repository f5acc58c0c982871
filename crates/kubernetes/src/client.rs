//! Where the API is, who asks it, and the clients that ask.

use std::sync::Weak;
use std::time::Duration;

use futures::FutureExt;
use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{Config, InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use otel_tcpretrans_pipeline::processors::K8sAttributesConfig;
use otel_tcpretrans_pipeline::processors::k8s_attributes::{AuthType, Cluster, Resource};
use tower::util::MapResponseLayer;

/// If nothing comes for so long, a connection is taken for dead. A server sends a bookmark to each watch about once a minute.
const SILENCE: Duration = Duration::from_secs(150);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// This process is in no pod, or its service account is not mounted.
    #[error("auth_type: serviceAccount: {0}; outside a cluster use auth_type: kubeConfig")]
    NotInCluster(#[from] InClusterError),
    /// The kubeconfig can't be used.
    #[error("auth_type: kubeConfig: {0}")]
    Kubeconfig(#[from] KubeconfigError),
    /// The environment does not say where the API is.
    #[error(
        "auth_type: none: expected the API's place in KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"
    )]
    NoPlace,
    /// The credentials or certificates can't be used.
    #[error("the client of the Kubernetes API: {0}")]
    Client(#[from] kube::Error),
}

/// Where the API is, and who asks it.
///
/// # Errors
/// The configuration does not lead to an API. Nothing is asked yet.
pub(crate) fn settings(config: &K8sAttributesConfig) -> Result<Config, Error> {
    // It fails if there is a provider already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut settings = match config.auth_type {
        AuthType::ServiceAccount => Config::incluster()?,
        AuthType::KubeConfig => {
            let file = match &config.kube_config_path {
                Some(path) => Kubeconfig::read_from(path)?,
                None => Kubeconfig::read()?,
            };
            let options = KubeConfigOptions { context: config.context.clone(), ..Default::default() };
            // It waits for nothing: the file has been read.
            let loaded = Config::from_custom_kubeconfig(file, &options).now_or_never();
            loaded.unwrap_or(Err(KubeconfigError::FindPath))?
        }
        AuthType::None => {
            let variable = |name| std::env::var(name).map_err(|_| Error::NoPlace);
            let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            let place = format!("https://{host}:{port}").parse().map_err(|_| Error::NoPlace)?;
            let mut settings = Config::new(place);
            settings.accept_invalid_certs = true;
            settings
        }
    };
    settings.read_timeout = Some(SILENCE);
    Ok(settings)
}

/// A client for one resource. It tells the cluster of each answer, since a quiet watch tells of nothing else.
///
/// # Errors
/// Credentials or certificates can't be used.
pub(crate) fn client(settings: Config, resource: Resource, cluster: Weak<Cluster>) -> Result<Client, Error> {
    let answers = MapResponseLayer::new(move |response: http::Response<_>| {
        if response.status().is_success()
            && let Some(cluster) = cluster.upgrade()
        {
            cluster.answered(resource);
        }
        response
    });
    Ok(ClientBuilder::try_from(settings)?.with_layer(&answers).build())
}
