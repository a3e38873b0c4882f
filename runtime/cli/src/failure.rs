//! Why `wasmpod` itself could not do what was asked; a Pod that fails is not one of these.

use std::fmt;
use std::process::ExitCode;

use wasmpod::error::chain;
use wasmpod::manifest::{LoadErrors, Problem};

use crate::print::problem;

/// An error of our own, as it is shown to the user.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The manifests are wrong, each problem at its place.
    Manifest(LoadErrors),
    /// Anything else: what went wrong, and on a line of its own what to do about it.
    Other { message: String, hint: Option<String> },
}

impl Failure {
    /// As `podman run`: the runtime failed, not what it ran.
    pub(crate) const EXIT_CODE: u8 = 125;

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Other { message: message.into(), hint: None }
    }

    /// An error with all its causes in one line, and the step that failed in front.
    pub(crate) fn because(step: impl fmt::Display, error: &dyn std::error::Error) -> Self {
        Self::new(format!("{step}: {}", chain(error)))
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Other { message, .. } => Self::Other { message, hint: Some(hint.into()) },
            Self::Manifest(_) => self,
        }
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Manifest(errors) => problem::report(&errors.problems, &errors.notes),
            Self::Other { message, hint } => problem::error(&message, hint.as_deref()),
        }
        Self::EXIT_CODE.into()
    }
}

impl From<LoadErrors> for Failure {
    fn from(errors: LoadErrors) -> Self {
        Self::Manifest(errors)
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Manifest(LoadErrors { problems, notes: Vec::new() })
    }
}
