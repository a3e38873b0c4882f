//! How a run of a container ended: the code, the reason and the message of its status.
//!
//! A guest of WebAssembly has no process and no signals, so the codes that a kernel would give are
//! assigned here, once. They are the ones a shell, `docker` and the kubelet would show for the same
//! end, so that scripts and restart rules written for processes mean the same.
//!
//! | end | code | reason |
//! |---|---|---|
//! | `_start` returned, `wasi:cli/run` gave ok | 0 | Completed |
//! | `proc_exit(n)`, `exit-with-code(n)` | n, low eight bits | Completed or Error |
//! | `wasi:cli/run` gave err | 1 | Error |
//! | a trap | 134 | Error |
//! | a stop was honoured, no code of its own | 143 | Error |
//! | the grace period was over | 137 | Error |
//! | the memory limit, where it ends the run | 137 | OOMKilled |
//! | the budget of instructions is used up | 152 | FuelExhausted |
//! | linking or instantiation failed | 128 | StartError |
//! | the export to run is missing | 127 | StartError |

use std::fmt;

/// The message of a container while all of its Pod are started again.
pub(crate) const RESTARTING_ALL: &str =
    "The container is removed because RestartAllContainers in place";

/// The end of one run: what `state.terminated` of the container's status says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit code, 0 to 255.
    pub code: u8,
    /// The reason in the words of the container runtime interface.
    pub reason: ExitReason,
    /// The termination message: what the guest wrote to `terminationMessagePath`, the end of its
    /// log, or, for an end that it did not choose, what happened.
    pub message: Option<String>,
    /// A probe of it or the hook for its start had failed, and it was ended for that: then it starts
    /// again as after a failure, whatever its code.
    pub unwell: bool,
    /// It was ended for a run of its container's new definition, which follows whatever the policy.
    pub makes_way: bool,
}

/// Why a run ended; `Display` gives the text of `state.terminated.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitReason {
    /// It ended by itself with code 0.
    Completed,
    /// It ended with another code, trapped, or was stopped.
    Error,
    /// It went over its memory limit.
    OomKilled,
    /// It has executed as much as it may.
    FuelExhausted,
    /// It could not be linked, instantiated or entered.
    StartError,
    /// The container was made but cannot run on this host.
    ContainerCannotRun,
    /// Its end was not seen.
    ContainerStatusUnknown,
    /// It was ended, or had ended, when all containers of the Pod were started again.
    RestartingAllContainers,
}

impl Exit {
    /// The guest ended with `code`; only its low eight bits count, as for a process.
    pub fn with_code(code: i32) -> Self {
        let code = u8::try_from(code & 0xff).expect("masked to eight bits");
        let reason = if code == 0 { ExitReason::Completed } else { ExitReason::Error };
        Self { code, reason, message: None, unwell: false, makes_way: false }
    }

    /// The guest's main function returned without a code.
    pub fn completed() -> Self {
        Self::with_code(0)
    }

    /// `wasi:cli/run` gave its error case.
    pub fn failed() -> Self {
        Self::with_code(1)
    }

    /// The guest trapped; the message holds the trap and its innermost frames.
    pub fn trapped(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::with_code(134) }
    }

    /// The guest ended because it was asked to, and gave no code of its own.
    pub fn stopped() -> Self {
        Self::with_code(143)
    }

    /// The run was cut off: its grace period was over, or nobody was to wait for it.
    pub fn killed() -> Self {
        Self::with_code(137)
    }

    /// The run was ended by its memory limit.
    pub fn out_of_memory(message: impl Into<String>) -> Self {
        Self {
            reason: ExitReason::OomKilled,
            message: Some(message.into()),
            ..Self::with_code(137)
        }
    }

    /// The run has used up its budget; the code is that of a process after `SIGXCPU`.
    pub fn fuel_exhausted(message: impl Into<String>) -> Self {
        Self {
            reason: ExitReason::FuelExhausted,
            message: Some(message.into()),
            ..Self::with_code(152)
        }
    }

    /// The guest could not be linked or instantiated.
    pub fn start_error(message: impl Into<String>) -> Self {
        Self {
            reason: ExitReason::StartError,
            message: Some(message.into()),
            ..Self::with_code(128)
        }
    }

    /// The guest lacks the export that should be run.
    pub fn missing_export(message: impl Into<String>) -> Self {
        Self {
            reason: ExitReason::StartError,
            message: Some(message.into()),
            ..Self::with_code(127)
        }
    }

    /// The end of the run was not seen: its task is gone.
    pub fn unknown() -> Self {
        Self {
            reason: ExitReason::ContainerStatusUnknown,
            message: Some(
                "The container could not be located when the pod was terminated".to_owned(),
            ),
            ..Self::with_code(137)
        }
    }

    /// The run made way for a restart of all containers of the Pod.
    pub fn restarting_all() -> Self {
        Self {
            reason: ExitReason::RestartingAllContainers,
            message: Some(RESTARTING_ALL.to_owned()),
            ..Self::with_code(137)
        }
    }

    /// The same end with the termination message that the guest left, if it left one.
    #[must_use]
    pub fn with_message(mut self, message: Option<String>) -> Self {
        if message.is_some() {
            self.message = message;
        }
        self
    }

    /// Whether restart policies and phases count this end as a success.
    pub fn is_success(&self) -> bool {
        self.code == 0
    }
}

impl ExitReason {
    const ALL: [Self; 8] = [
        Self::Completed,
        Self::Error,
        Self::OomKilled,
        Self::FuelExhausted,
        Self::StartError,
        Self::ContainerCannotRun,
        Self::ContainerStatusUnknown,
        Self::RestartingAllContainers,
    ];

    /// The reason that a status names; what it does not know is an error like another.
    pub(crate) fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.to_string() == text).unwrap_or(Self::Error)
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "Completed",
            Self::Error => "Error",
            Self::OomKilled => "OOMKilled",
            Self::FuelExhausted => "FuelExhausted",
            Self::StartError => "StartError",
            Self::ContainerCannotRun => "ContainerCannotRun",
            Self::ContainerStatusUnknown => "ContainerStatusUnknown",
            Self::RestartingAllContainers => "RestartingAllContainers",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_map_to_the_codes_that_a_process_would_have() {
        let table = [
            (Exit::completed(), 0, "Completed"),
            (Exit::with_code(3), 3, "Error"),
            (Exit::with_code(255), 255, "Error"),
            (Exit::with_code(256), 0, "Completed"),
            (Exit::with_code(-1), 255, "Error"),
            (Exit::with_code(i32::MIN), 0, "Completed"),
            (Exit::failed(), 1, "Error"),
            (Exit::trapped("unreachable"), 134, "Error"),
            (Exit::stopped(), 143, "Error"),
            (Exit::killed(), 137, "Error"),
            (Exit::out_of_memory("memory limit"), 137, "OOMKilled"),
            (Exit::fuel_exhausted("used up"), 152, "FuelExhausted"),
            (Exit::start_error("unknown import"), 128, "StartError"),
            (Exit::missing_export("no _start"), 127, "StartError"),
            (Exit::unknown(), 137, "ContainerStatusUnknown"),
        ];
        for (exit, code, reason) in table {
            assert_eq!((exit.code, exit.reason.to_string().as_str()), (code, reason), "{exit:?}");
            assert_eq!(exit.is_success(), code == 0, "{exit:?}");
        }
    }

    #[test]
    fn a_message_of_the_guest_replaces_ours_only_when_there_is_one() {
        let trap = Exit::trapped("wasm trap: unreachable");
        assert_eq!(trap.clone().with_message(None), trap);
        let told = trap.with_message(Some("out of pears".to_owned()));
        assert_eq!(told.message.as_deref(), Some("out of pears"));
        assert_eq!(told.code, 134);
    }
}
