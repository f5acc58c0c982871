//! A step of the start that failed: whether another hook may work, and what the user is told.

use libbpf_rs::ErrorKind;
use otel_tcpretrans_pipeline::component::ReceiverError;

use crate::facts::{Facts, Lockdown};
use crate::setup::HookKind;

/// The step in which the verifier checks the programs.
pub(super) const LOADING: &str = "loading the programs";

/// A step that failed, with the hook in use.
pub(super) struct StepError {
    pub(super) hook: HookKind,
    pub(super) step: &'static str,
    pub(super) error: libbpf_rs::Error,
}

impl StepError {
    /// The kernel does not let this user do it: another hook would not help.
    fn is_denied(&self) -> bool {
        self.error.kind() == ErrorKind::PermissionDenied
    }

    /// The kernel refuses this way to do it, and another hook may work. Where memory or descriptors are short another hook
    /// would fail as well, for a reason that hides the first.
    pub(super) fn may_do_otherwise(&self) -> bool {
        is_refused(self.error.kind())
    }

    /// The receiver's error, which says what is needed where the kernel denied something.
    pub(super) fn explain(self, facts: &Facts) -> ReceiverError {
        let hook: &str = self.hook.into();
        let message = format!("hook {hook}: {}: {:#}", self.step, self.error);
        let message = match facts.lockdown {
            Some(Lockdown::Confidentiality) => {
                message
                    + "; this kernel is locked down (lockdown=confidentiality), which refuses to let programs read its memory"
            }
            _ => message,
        };
        if !self.is_denied() {
            let verifier = self.step == LOADING && self.may_do_otherwise();
            let hint = if verifier {
                "; service.telemetry.logs.level: debug shows what the verifier says"
            } else {
                ""
            };
            return ReceiverError::Failed(message + hint);
        }
        let memlock = facts.memlock_limit_of_maps().map(|bytes| {
            let kib = bytes >> 10;
            format!("; or RLIMIT_MEMLOCK, {kib} KiB, is too low for what this kernel charges to it (systemd: LimitMEMLOCK=8M)")
        });
        ReceiverError::Unsupported(format!(
            "{message}: the kernel denies it; needed are CAP_BPF and CAP_PERFMON in the initial user namespace, and for \
             transport: perf also kernel.perf_event_paranoid <= 2 or CAP_SYS_ADMIN{}",
            memlock.unwrap_or_default()
        ))
    }
}

/// True if the kernel refuses to do it: it does not know it, or does not allow it. The verifier's refusals come as EACCES
/// too. False where memory or descriptors are short.
pub(super) fn is_refused(error: ErrorKind) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, NotFound, PermissionDenied, TooBig, Unsupported};
    matches!(error, InvalidInput | InvalidData | NotFound | PermissionDenied | TooBig | Unsupported)
}

/// True if the kernel says ENOTSUPP (524, include/linux/errno.h). That is for its own use, so it has no name outside, and
/// `libbpf-rs` has it in the error's text only.
pub(super) fn is_not_supported(error: &libbpf_rs::Error) -> bool {
    format!("{error:#}").contains("(os error 524)")
}

#[cfg(test)]
mod tests {
    use libbpf_rs::{Error, ErrorExt};

    use super::*;

    #[test]
    fn only_enotsupp_is_not_supported() {
        let error = |number| Error::from_raw_os_error(number).context("attaching").context("the program");
        assert!(is_not_supported(&error(524)));
        let no_descriptor_is_left = error(24); // EMFILE
        assert!(!is_not_supported(&no_descriptor_is_left) && !is_refused(no_descriptor_is_left.kind()));
    }
}
