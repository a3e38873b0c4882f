//! What a request and the object in it must agree on.

use serde_json::Value;
use wasmpod_manifest::field::{ErrorType, FieldError, FieldPath, Segment};

use crate::resource::Scope;
use crate::status::ApiError;
use crate::{Resource, metadata};

/// The object is of this kind; where it does not say, it does from now on.
pub(crate) fn check_kind(resource: Resource, object: &mut Value) -> Result<(), ApiError> {
    let Some(fields) = object.as_object_mut() else {
        let message = "the body of the request is no JSON object";
        return Err(ApiError::bad_request(message));
    };
    let expected = resource.api_version();
    match fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default() {
        "" => {
            fields.insert("apiVersion".to_owned(), expected.into());
        }
        same if same == expected => {}
        other => {
            return Err(ApiError::bad_request(format!(
                "the API version in the data ({other}) does not match the expected API version \
                 ({expected})"
            )));
        }
    }
    match fields.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "" => {
            fields.insert("kind".to_owned(), resource.kind.into());
        }
        same if same == resource.kind => {}
        other => {
            return Err(ApiError::bad_request(format!(
                "{other} in version \"{}\" cannot be handled as a {}: no kind \"{other}\" is \
                 registered for this resource",
                resource.version, resource.kind
            )));
        }
    }
    match fields.get("metadata") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err(ApiError::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: metadata is no object",
            resource.version,
            kind = resource.kind,
        ))),
    }
}

/// The object is in the namespace of the request; where it does not say, it is from now on.
pub(crate) fn check_namespace(
    resource: Resource,
    namespace: &str,
    object: &mut Value,
) -> Result<(), ApiError> {
    if resource.scope == Scope::Cluster {
        metadata::set(object, "namespace", None);
        return Ok(());
    }
    if namespace.is_empty() {
        let message = "an empty namespace may not be set during creation";
        return Err(ApiError::bad_request(message));
    }
    match metadata::text(object, "namespace") {
        "" => {
            metadata::set(object, "namespace", Some(namespace.into()));
            Ok(())
        }
        same if same == namespace => Ok(()),
        _ => Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

/// A field that must be set.
pub(crate) fn required(path: &[&'static str], detail: &str) -> FieldError {
    let path = path
        .iter()
        .fold(FieldPath::root(), |path, field| path.then(Segment::Field((*field).into())));
    FieldError {
        path,
        kind: ErrorType::Required,
        value: Value::Null,
        detail: detail.to_owned(),
        hint: None,
    }
}
