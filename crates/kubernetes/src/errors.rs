//! Why a watch has failed, in few words.

use kube::runtime::watcher;
use otel_tcpretrans_pipeline::processors::k8s_attributes::Reason;

/// The reason for a failure.
pub(crate) fn reason(error: &watcher::Error) -> Reason {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => of_client(error),
        watcher::Error::WatchError(status) => of_code(status.code),
        watcher::Error::NoResourceVersion => Reason::Malformed,
    }
}

fn of_client(error: &kube::Error) -> Reason {
    match error {
        kube::Error::Api(status) => of_code(status.code),
        kube::Error::ReadEvents(_) | kube::Error::HyperError(_) => Reason::Interrupted,
        kube::Error::SerdeError(_)
        | kube::Error::FromUtf8(_)
        | kube::Error::LinesCodecMaxLineLengthExceeded => Reason::Malformed,
        _ => Reason::Unreachable,
    }
}

fn of_code(code: u16) -> Reason {
    match code {
        401 => Reason::Unauthorized,
        403 => Reason::Forbidden,
        410 => Reason::Expired,
        429 => Reason::TooManyRequests,
        _ => Reason::Refused,
    }
}

/// An error and its causes, each of them once.
pub(crate) fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
