use serde_json::{Value, json};

use super::super::apply::*;
use super::super::*;
use crate::resource::PODS;

fn manifest() -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1",
        "metadata": { "name": "web", "namespace": "default", "labels": { "a": "<&>" } },
        "spec": { "containers": [{ "name": "c", "image": "x" }] } })
}

fn annotation(object: &Value) -> &str {
    object["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap()
}

#[test]
fn the_annotation_is_that_of_kubectl_to_the_byte() {
    let object = annotated(&manifest()).unwrap();
    assert_eq!(
        annotation(&object),
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"annotations\":{},\"labels\":\
         {\"a\":\"\\u003c\\u0026\\u003e\"},\"name\":\"web\",\"namespace\":\"default\"},\"spec\":\
         {\"containers\":[{\"image\":\"x\",\"name\":\"c\"}]}}\n"
    );
    // A manifest that holds its own annotation does not wrap it.
    assert_eq!(annotated(&object).unwrap(), object);
}

#[test]
fn what_is_applied_again_is_unchanged() {
    let mut object = annotated(&manifest()).unwrap();
    object["status"] = json!({ "phase": "Running" });
    object["spec"]["restartPolicy"] = json!("Always");
    assert_eq!(plan(PODS, &manifest(), &object), Ok(Plan::Unchanged));

    let mut changed = manifest();
    changed["metadata"].as_object_mut().unwrap().remove("labels");
    let Plan::Patch(patch) = plan(PODS, &changed, &object).unwrap() else { panic!() };
    assert_eq!(patch["metadata"]["labels"], Value::Null);
    assert_eq!(
        patch["metadata"]["annotations"][LAST_APPLIED],
        annotation(&annotated(&changed).unwrap())
    );
    assert_eq!(patch.get("spec"), None);
}

#[test]
fn an_object_that_was_not_applied_gets_the_annotation() {
    let current = manifest();
    assert_eq!(last_applied(&current), Ok(None));
    let Plan::Patch(patch) = plan(PODS, &manifest(), &current).unwrap() else { panic!() };
    let keys: Vec<&String> = patch.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["metadata"]);
    let keys: Vec<&String> = patch["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["annotations"]);
}

#[test]
fn what_cannot_be_applied_is_told() {
    let mut current = manifest();
    let mut other = manifest();
    other["metadata"]["name"] = json!("other");
    assert_eq!(plan(PODS, &other, &current), Err(PatchError::Renamed));
    current["metadata"]["annotations"] = json!({ LAST_APPLIED: "no json" });
    assert_eq!(plan(PODS, &manifest(), &current), Err(PatchError::LastApplied));
    assert_eq!(annotated(&json!([])), Err(PatchError::NoObject));
}
