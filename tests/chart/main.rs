//! The Helm chart, the plain manifests and the example of a sidecar: by the real Helm, against the schemas of Kubernetes, and with the
//! real binary on each configuration that they contain. Nothing is applied to a cluster here; `tests/kubernetes` does that.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs)]

mod documented;
#[allow(dead_code)] // this test uses a part of it
#[path = "../cli/harness.rs"]
mod harness;
mod refused;
mod rendered;
mod sidecar;
mod tools;

/// A configuration passes `otel-tcpretrans validate`, without a warning.
#[track_caller]
fn assert_valid(configuration: &str) {
    harness::Case::new("validate", configuration).run().succeeded();
}
