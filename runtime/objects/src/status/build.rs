//! One constructor for each thing that goes wrong, in the words of the API server.

use std::fmt::Display;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{StatusCause, StatusDetails};
use wasmpod_manifest::field::{FieldError, quote};

use super::{ApiError, Reason};
use crate::Resource;

impl ApiError {
    /// `pods "web" not found`
    pub fn not_found(resource: Resource, name: &str) -> Self {
        let message = format!("{} {} not found", resource.qualified(), quote(name));
        Self::about(Reason::NotFound, message, resource, name)
    }

    /// `pods "web" already exists`
    pub fn already_exists(resource: Resource, name: &str) -> Self {
        let message = format!("{} {} already exists", resource.qualified(), quote(name));
        Self::about(Reason::AlreadyExists, message, resource, name)
    }

    /// No free name was found for an object with a `generateName`; `name` was the last one tried.
    pub fn generate_name_conflict(resource: Resource, name: &str) -> Self {
        let mut error = Self::already_exists(resource, name);
        error.message += ", the server was not able to generate a unique name for the object";
        error.with_retry(1)
    }

    /// `Operation cannot be fulfilled on pods "web": …`
    pub fn conflict(resource: Resource, name: &str, why: impl Display) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            resource.qualified(),
            quote(name)
        );
        Self::about(Reason::Conflict, message, resource, name)
    }

    /// The conflict of a write that is based on an older state.
    pub fn modified(resource: Resource, name: &str) -> Self {
        let why = "the object has been modified; \
                   please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// The conflict of a deletion whose precondition does not hold; the API server names the kind
    /// here, where it names the resource elsewhere.
    pub(crate) fn precondition(resource: Resource, name: &str, why: impl Display) -> Self {
        let kind = resource.qualified_kind();
        let message = format!("Operation cannot be fulfilled on {kind} {}: {why}", quote(name));
        let mut error = Self::about(Reason::Conflict, message, resource, name);
        if let Some(details) = &mut error.details {
            details.kind = Some(resource.kind.to_owned());
        }
        error
    }

    /// `Pod "web" is invalid: spec.containers: Required value`
    pub fn invalid(resource: Resource, name: &str, errors: &[FieldError]) -> Self {
        let mut said: Vec<String> = Vec::new();
        for error in errors {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push(text);
            }
        }
        let what = format!("{} {} is invalid", resource.qualified_kind(), quote(name));
        let message = match said.as_slice() {
            [] => what,
            [one] => format!("{what}: {one}"),
            several => format!("{what}: [{}]", several.join(", ")),
        };
        let causes = errors.iter().map(|error| StatusCause {
            reason: Some(error.kind.reason().to_owned()),
            message: Some(error.body()),
            field: Some(error.path.to_string()),
        });
        let causes = causes.collect();
        let mut error = Self::about(Reason::Invalid, message, resource, name);
        if let Some(details) = &mut error.details {
            details.kind = Some(resource.kind.to_owned());
            details.causes = Some(causes);
        }
        error
    }

    /// `pods "web" is forbidden: …`
    pub fn forbidden(resource: Resource, name: &str, why: impl Display) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {why}", resource.qualified()),
            name => format!("{} {} is forbidden: {why}", resource.qualified(), quote(name)),
        };
        Self::about(Reason::Forbidden, message, resource, name)
    }

    /// A request that makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::plain(Reason::BadRequest, message)
    }

    /// A request of somebody who has not shown who they are.
    pub fn unauthorized() -> Self {
        Self::plain(Reason::Unauthorized, "Unauthorized")
    }

    /// What was there is no longer.
    pub fn gone(message: impl Into<String>) -> Self {
        Self::plain(Reason::Gone, message)
    }

    /// A revision that the log no longer, or not yet, reaches.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::plain(Reason::Expired, message)
    }

    /// A patch that can be read, but not carried out.
    pub fn unprocessable(why: impl Display) -> Self {
        let message = "the server rejected our request due to an error in our request";
        let mut error = Self::plain(Reason::Invalid, message);
        // With a field, as kubectl prints causes so.
        let cause = StatusCause {
            field: Some("patch".to_owned()),
            message: Some(why.to_string()),
            ..StatusCause::default()
        };
        error.details.get_or_insert_default().causes = Some(vec![cause]);
        error
    }

    /// More than anybody should send.
    pub fn too_large(message: impl Display) -> Self {
        let message = format!("Request entity too large: {message}");
        Self::plain(Reason::RequestEntityTooLarge, message)
    }

    /// A body of a type that nobody reads.
    pub fn unsupported_media_type(supported: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            supported.join(", ")
        );
        Self::plain(Reason::UnsupportedMediaType, message)
    }

    /// A verb that the resource does not have.
    pub fn method_not_supported(resource: Resource, verb: &str) -> Self {
        let name = resource.qualified();
        let message = format!("{verb} is not supported on resources of kind {}", quote(&name));
        Self::about(Reason::MethodNotAllowed, message, resource, "")
    }

    /// Nothing answers now.
    pub fn service_unavailable(message: impl Into<String>) -> Self {
        Self::plain(Reason::ServiceUnavailable, message)
    }

    /// `Internal error occurred: …`
    pub fn internal(why: impl Display) -> Self {
        let mut error =
            Self::plain(Reason::InternalError, format!("Internal error occurred: {why}"));
        let cause = StatusCause { message: Some(why.to_string()), ..StatusCause::default() };
        error.details.get_or_insert_default().causes = Some(vec![cause]);
        error
    }

    /// Says after how many seconds it is worth another try.
    #[must_use]
    pub fn with_retry(mut self, seconds: i32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = Some(seconds);
        self
    }

    fn plain(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, code: reason.code(), message: message.into(), details: None }
    }

    fn about(reason: Reason, message: String, resource: Resource, name: &str) -> Self {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let details = StatusDetails {
            group: filled(resource.group),
            kind: filled(resource.plural),
            name: filled(name),
            ..StatusDetails::default()
        };
        Self { reason, code: reason.code(), message, details: Some(Box::new(details)) }
    }
}
