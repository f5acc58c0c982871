//! Runs privileged tests, or reports them as ignored with the reason. `OTEL_TCPRETRANS_REQUIRE_PRIVILEGED=1` makes a
//! missing privilege a failure instead.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test: its name and what it does.
pub type Case = (&'static str, fn());

/// Runs `cases`, one after the other: they measure the machine's one kernel.
pub fn main(cases: &[Case]) -> ExitCode {
    main_where(cases, |_| None)
}

/// The same, where `lacking_for` says what this machine lacks for the case of that name alone.
pub fn main_where(cases: &[Case], lacking_for: impl Fn(&str) -> Option<String>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let required = std::env::var_os("OTEL_TCPRETRANS_REQUIRE_PRIVILEGED").is_some();
    let lacking = lacking();
    if let Some(reason) = &lacking {
        eprintln!("privileged tests: {reason}{}", if required { "" } else { "; they are ignored" });
    }
    let trials = cases
        .iter()
        .map(|(name, case)| {
            let (case, reason) = (*case, lacking.clone().or_else(|| lacking_for(name)));
            let ignored = reason.is_some() && !required;
            if let (Some(reason), None) = (&reason, &lacking) {
                eprintln!("{name}: {reason}{}", if required { "" } else { "; it is ignored" });
            }
            let trial = Trial::test(*name, move || match reason {
                Some(reason) => Err(Failed::from(reason)),
                None => {
                    case();
                    Ok(())
                }
            });
            trial.with_kind("root").with_ignored_flag(ignored)
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What this process lacks to run them.
fn lacking() -> Option<String> {
    let effective = rustix::thread::capabilities(None).ok()?.effective;
    (!effective.contains(rustix::thread::CapabilitySet::SYS_ADMIN))
        .then(|| "need root (CAP_SYS_ADMIN: namespaces, BPF)".to_owned())
}
