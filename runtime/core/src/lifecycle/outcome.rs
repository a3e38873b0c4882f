//! What the end of a Pod means to whoever waited for it: the exit code of `wasmpod run`.
//!
//! The codes are ours, since Kubernetes has none: 0 for a Pod that succeeded, a failed container's
//! own code, 130 as a shell gives it for Ctrl-C. 125, for errors of wasmpod itself, is not an
//! outcome: no Pod ran.

use super::container::RunState;
use super::observed::{EndCause, Observed};
use super::phase::{Phase, phase};
use super::spec::Spec;

/// How a Pod ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of its containers did what they should.
    Succeeded,
    /// A container failed for good: the first of them, by the time of its end.
    Failed {
        /// Its name.
        container: String,
        /// Its exit code, which is not 0.
        code: u8,
    },
    /// The Pod failed as a whole, and no container with it.
    PodFailed,
    /// Somebody asked for its end.
    Interrupted,
}

impl Outcome {
    /// The exit code for a shell.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed { code, .. } => *code,
            Self::PodFailed => 1,
            Self::Interrupted => 130,
        }
    }
}

/// The outcome of a Pod that is over.
pub fn outcome(spec: &Spec, observed: &Observed) -> Outcome {
    if matches!(&observed.ending, Some(ending) if ending.cause == EndCause::Requested) {
        return Outcome::Interrupted;
    }
    if phase(spec, observed) == Phase::Succeeded {
        return Outcome::Succeeded;
    }
    let failed =
        spec.containers.iter().zip(&observed.containers).filter_map(|(spec, container)| {
            match &container.state {
                RunState::Terminated { ended, .. } if !ended.exit.is_success() => {
                    Some((spec, ended))
                }
                RunState::Terminated { .. } | RunState::Waiting { .. } | RunState::Running(_) => {
                    None
                }
            }
        });
    match failed.min_by_key(|(_, ended)| ended.finished) {
        Some((spec, ended)) => {
            Outcome::Failed { container: spec.name.clone(), code: ended.exit.code }
        }
        None => Outcome::PodFailed,
    }
}
