//! The error itself, and its form as an object of the API.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusDetails};

use super::Reason;

/// A request that failed.
///
/// ```
/// # use wasmpod_objects::{resource::PODS, status::ApiError};
/// let error = ApiError::not_found(PODS, "web");
/// assert_eq!(error.to_string(), r#"pods "web" not found"#);
/// assert_eq!(error.status().code, Some(404));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What programs go by.
    pub reason: Reason,
    /// The HTTP code.
    pub code: u16,
    /// What people read.
    pub message: String,
    /// Which object, and what is wrong with it.
    pub details: Option<Box<StatusDetails>>,
}

impl ApiError {
    /// As the API sends it.
    pub fn status(&self) -> Status {
        let reason = self.reason.as_str();
        Status {
            status: Some("Failure".to_owned()),
            message: Some(self.message.clone()),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            details: self.details.as_deref().cloned(),
            code: Some(i32::from(self.code)),
            ..Status::default()
        }
    }

    /// What a server has said; [`None`] if it says that all went well.
    pub fn of_status(status: Status) -> Option<Self> {
        if status.status.as_deref() == Some("Success") {
            return None;
        }
        let reason = Reason::of_text(status.reason.as_deref().unwrap_or_default());
        let code = status.code.and_then(|code| u16::try_from(code).ok()).filter(|code| *code > 0);
        Some(Self {
            reason,
            code: code.unwrap_or_else(|| reason.code()),
            message: status.message.unwrap_or_else(|| "unknown".to_owned()),
            details: status.details.map(Box::new),
        })
    }
}
