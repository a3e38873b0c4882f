use serde_json::json;
use wasmpod_manifest::field::{ErrorType, FieldError, FieldPath, Segment};

use super::*;
use crate::resource::{PODS, Resource};

fn required(field: &'static str) -> FieldError {
    FieldError {
        path: FieldPath::root()
            .then(Segment::Field("spec".into()))
            .then(Segment::Field(field.into())),
        kind: ErrorType::Required,
        value: serde_json::Value::Null,
        detail: String::new(),
        hint: None,
    }
}

#[test]
fn messages_are_those_of_the_api_server() {
    let texts = [
        ApiError::not_found(PODS, "web"),
        ApiError::already_exists(PODS, "web"),
        ApiError::generate_name_conflict(PODS, "web-x"),
        ApiError::modified(PODS, "x"),
        ApiError::forbidden(PODS, "web", "no room"),
        ApiError::method_not_supported(PODS, "create"),
        ApiError::internal("the disk is full"),
        ApiError::invalid(PODS, "web", &[]),
        ApiError::invalid(PODS, "web", &[required("containers")]),
        ApiError::invalid(PODS, "web", &[required("a"), required("b"), required("a")]),
    ]
    .map(|error| format!("{} {}: {error}", error.code, error.reason));
    insta::assert_snapshot!(texts.join("\n"), @r#"
    404 NotFound: pods "web" not found
    409 AlreadyExists: pods "web" already exists
    409 AlreadyExists: pods "web-x" already exists, the server was not able to generate a unique name for the object
    409 Conflict: Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again
    403 Forbidden: pods "web" is forbidden: no room
    405 MethodNotAllowed: create is not supported on resources of kind "pods"
    500 InternalError: Internal error occurred: the disk is full
    422 Invalid: Pod "web" is invalid
    422 Invalid: Pod "web" is invalid: spec.containers: Required value
    422 Invalid: Pod "web" is invalid: [spec.a: Required value, spec.b: Required value]
    "#);
}

#[test]
fn a_group_is_part_of_the_name() {
    let leases = Resource { group: "coordination.k8s.io", plural: "leases", kind: "Lease", ..PODS };
    assert_eq!(
        ApiError::not_found(leases, "a").to_string(),
        "leases.coordination.k8s.io \"a\" not found"
    );
}

#[test]
fn a_status_goes_out_and_comes_back() {
    let error = ApiError::invalid(PODS, "web", &[required("containers")]);
    let sent = serde_json::to_value(error.status()).unwrap();
    assert_eq!(
        sent,
        json!({
            "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
            "code": 422, "reason": "Invalid",
            "message": "Pod \"web\" is invalid: spec.containers: Required value",
            "details": { "kind": "Pod", "name": "web", "causes": [{
                "reason": "FieldValueRequired", "message": "Required value",
                "field": "spec.containers",
            }] },
        })
    );
    let came = ApiError::of_status(serde_json::from_value(sent).unwrap());
    assert_eq!(came, Some(error));
    let well = json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" });
    assert_eq!(ApiError::of_status(serde_json::from_value(well).unwrap()), None);
}

#[test]
fn each_reason_is_read_as_it_is_written() {
    for text in ["NotFound", "Expired", "InternalError", "Timeout"] {
        assert_eq!(Reason::of_text(text).as_str(), text);
    }
    assert_eq!(Reason::of_text("Teapot"), Reason::Unknown);
}
