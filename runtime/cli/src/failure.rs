//! Why `wasmpod` itself could not do what was asked; a Pod that fails is not one of these.

use std::fmt;
use std::process::ExitCode;

use wasmpod::error::chain;
use wasmpod::manifest::{LoadErrors, Problem};
use wasmpod_node::background::{BackgroundError, ImagesError};
use wasmpod_node::images;
use wasmpod_objects::status::{ApiError, Reason};
use wasmpod_objects::store::StoreError;

use crate::print::problem;

/// An error of our own, as it is shown to the user.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The manifests are wrong, each problem at its place.
    Manifest(LoadErrors),
    /// The API has refused, in its own words; kubectl's code for it is 1.
    Api(ApiError),
    /// As kubectl, podman and docker say it, with their code 1: the question was right, the answer is no.
    Kubectl { message: String },
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

    /// What kubectl says in the same case, with its exit code.
    pub(crate) fn kubectl(message: impl Into<String>) -> Self {
        Self::Kubectl { message: message.into() }
    }

    /// What podman and docker say in the same case, with their exit code.
    pub(crate) fn podman(message: impl Into<String>) -> Self {
        Self::Kubectl { message: message.into() }
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Other { message, .. } => Self::Other { message, hint: Some(hint.into()) },
            Self::Manifest(_) | Self::Api(_) | Self::Kubectl { .. } => self,
        }
    }

    /// Reports all of these but the last, which is what the command ends with; fine where there is none.
    ///
    /// # Errors
    /// The last one.
    pub(crate) fn last_of(mut failures: Vec<Self>) -> Result<ExitCode, Self> {
        let Some(last) = failures.pop() else { return Ok(ExitCode::SUCCESS) };
        for failure in failures {
            // Its code is not what the command ends with.
            let _code = failure.report();
        }
        Err(last)
    }

    /// Of an object of the manifest `source`: that was being done to it, where the API has refused that.
    #[must_use]
    pub(crate) fn when(self, doing: &str, source: &str) -> Self {
        match self {
            Self::Api(mut error) => {
                error.message = format!("error when {doing} {source:?}: {}", error.message);
                Self::Api(error)
            }
            other => other,
        }
    }

    /// What is told, without the label before it.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Manifest(errors) => errors.to_string(),
            Self::Api(error) => error.message.clone(),
            Self::Kubectl { message } | Self::Other { message, .. } => message.clone(),
        }
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Manifest(errors) => problem::report(&errors.problems, &errors.notes),
            Self::Api(error) => {
                problem::plain(&server_says(&error));
                return ExitCode::FAILURE;
            }
            Self::Kubectl { message } => {
                problem::error(&message, None);
                return ExitCode::FAILURE;
            }
            Self::Other { message, hint } => problem::error(&message, hint.as_deref()),
        }
        Self::EXIT_CODE.into()
    }
}

/// Rule: `StandardErrorMessage` of kubectl.
pub(crate) fn server_says(error: &ApiError) -> String {
    match error.reason {
        Reason::Invalid => error.message.clone(),
        reason => format!("Error from server ({}): {}", reason.as_str(), error.message),
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error.reason() {
            Some(_) => Self::Api(error.api()),
            None => Self::because("the objects of this machine", &error),
        }
    }
}

impl From<ImagesError> for Failure {
    fn from(error: ImagesError) -> Self {
        match error {
            ImagesError::Manifest(errors) => errors.into(),
            ImagesError::Read { path, source } => Self::because(path.display(), &source),
        }
    }
}

impl From<images::Problem> for Failure {
    fn from(problem: images::Problem) -> Self {
        Self::podman(chain(&problem))
    }
}

impl From<BackgroundError> for Failure {
    fn from(error: BackgroundError) -> Self {
        match error {
            BackgroundError::Store(error) => error.into(),
            other => Self::new(chain(&other)),
        }
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
