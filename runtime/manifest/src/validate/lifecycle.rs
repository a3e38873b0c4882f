//! `lifecycle`: hooks, and the signal that stops a container.

use k8s_openapi::api::core::v1::Lifecycle;

use super::absent::some_text;
use super::handler::handler;
use crate::field::{Errors, Place};

const NAMED_SIGNALS: [&str; 34] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// `grace_period` is the Pod's, in seconds; `os` is `spec.os.name`.
pub(super) fn lifecycle(
    lifecycle: &Lifecycle,
    grace_period: Option<i64>,
    os: Option<&str>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if let Some(hook) = &lifecycle.post_start {
        handler(hook.into(), grace_period, &at.field("postStart"), errors);
    }
    if let Some(hook) = &lifecycle.pre_stop {
        handler(hook.into(), grace_period, &at.field("preStop"), errors);
    }
    if let Some(signal) = some_text(&lifecycle.stop_signal) {
        stop_signal(signal, os, &at.field("stopSignal"), errors);
    }
}

fn stop_signal(signal: &str, os: Option<&str>, at: &Place<'_>, errors: &mut Errors) {
    match os {
        None => {
            errors.forbidden(at, "may not be set for containers with empty `spec.os.name`");
        }
        Some("windows") if !matches!(signal, "SIGKILL" | "SIGTERM") => {
            errors.unsupported(at, signal, &["SIGKILL", "SIGTERM"]);
        }
        Some("linux") if !is_signal(signal) => {
            let mut known: Vec<String> = NAMED_SIGNALS.iter().map(ToString::to_string).collect();
            known.extend(["SIGRTMIN".to_owned(), "SIGRTMAX".to_owned()]);
            known.extend((1..=15).map(|number| format!("SIGRTMIN+{number}")));
            known.extend((1..=14).map(|number| format!("SIGRTMAX-{number}")));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            errors.unsupported(at, signal, &known);
        }
        Some(_) => {}
    }
}

fn is_signal(signal: &str) -> bool {
    let offset = |text: &str, most: u8| {
        !text.starts_with(['0', '+'])
            && text.parse().is_ok_and(|number| (1..=most).contains(&number))
    };
    NAMED_SIGNALS.contains(&signal)
        || matches!(signal, "SIGRTMIN" | "SIGRTMAX")
        || signal.strip_prefix("SIGRTMIN+").is_some_and(|text| offset(text, 15))
        || signal.strip_prefix("SIGRTMAX-").is_some_and(|text| offset(text, 14))
}
