//! Why a request is not done, as the API of Kubernetes says it.

use http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use wasmpod::error::chain;
use wasmpod::pod::{FilesError, PortForwardError, ResizeError, SessionError};
use wasmpod::sandbox::filesystem::CopyError;

use super::query::QueryError;
use super::route::Unroutable;
use super::streams::{PROTOCOL, of_copy_error};

/// A `Status` before it is one.
pub(super) struct Refusal {
    pub(super) code: StatusCode,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn unroutable(unroutable: Unroutable, what: &str) -> Self {
        let (code, reason, message) = match unroutable {
            Unroutable::NotFound => (
                StatusCode::NOT_FOUND,
                "NotFound",
                format!("the server could not find the requested resource ({what})"),
            ),
            Unroutable::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                format!("the server does not allow this method on the requested resource ({what})"),
            ),
        };
        Self { code, reason, message }
    }

    pub(super) fn gone(pod: &str) -> Self {
        let message = format!("pods {pod:?} not found: it has ended");
        Self { code: StatusCode::GONE, reason: "Gone", message }
    }

    pub(super) fn bad(why: impl std::fmt::Display) -> Self {
        let message = format!("the body of the request is not understood: {why}");
        Self { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message }
    }

    pub(super) fn no_container(container: &str, pod: &str) -> Self {
        Self {
            code: StatusCode::NOT_FOUND,
            reason: "NotFound",
            message: format!("container {container} is not valid for pod {pod}"),
        }
    }

    pub(super) fn no_stream() -> Self {
        Self {
            code: StatusCode::UPGRADE_REQUIRED,
            reason: "BadRequest",
            message: format!("Upgrade request required: the header `Upgrade: {PROTOCOL}`"),
        }
    }

    pub(super) fn too_many(most: usize) -> Self {
        let message = format!("this Pod has {most} streams already, which is the most: end others");
        Self { code: StatusCode::TOO_MANY_REQUESTS, reason: "TooManyRequests", message }
    }

    pub(super) fn status(self) -> Status {
        Status {
            status: Some("Failure".to_owned()),
            message: Some(self.message),
            reason: Some(self.reason.to_owned()),
            code: Some(self.code.as_u16().into()),
            ..Status::default()
        }
    }
}

impl From<&ResizeError> for Refusal {
    fn from(error: &ResizeError) -> Self {
        let (code, reason) = match error {
            ResizeError::Patch(_) | ResizeError::Decode { .. } => {
                (StatusCode::BAD_REQUEST, "BadRequest")
            }
            ResizeError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
            ResizeError::Gone => (StatusCode::NOT_FOUND, "NotFound"),
        };
        Self { code, reason, message: chain(error) }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message: error.to_string() }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        let (code, reason) = match &error {
            SessionError::NoContainer { .. } => (StatusCode::NOT_FOUND, "NotFound"),
            SessionError::NotRunning { .. } | SessionError::Completed { .. } => {
                (StatusCode::CONFLICT, "Conflict")
            }
            SessionError::Terminal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        };
        Self { code, reason, message: chain(&error) }
    }
}

impl From<FilesError> for Refusal {
    fn from(error: FilesError) -> Self {
        let (code, reason) = match &error {
            FilesError::NoContainer { .. } => (StatusCode::NOT_FOUND, "NotFound"),
            FilesError::None { .. } => (StatusCode::CONFLICT, "Conflict"),
        };
        Self { code, reason, message: error.to_string() }
    }
}

impl From<CopyError> for Refusal {
    fn from(error: CopyError) -> Self {
        let (code, reason) = of_copy_error(&error);
        let code = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
        let code = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, reason, message: error.to_string() }
    }
}

impl From<PortForwardError> for Refusal {
    fn from(error: PortForwardError) -> Self {
        let (code, reason) = match &error {
            PortForwardError::Connect { .. } => (StatusCode::BAD_GATEWAY, CONNECTION_REFUSED),
            PortForwardError::Gone { .. } => (StatusCode::CONFLICT, "Conflict"),
        };
        Self { code, reason, message: error.to_string() }
    }
}

/// The reason where nobody listens at a port.
pub(super) const CONNECTION_REFUSED: &str = "ConnectionRefused";
