use serde_json::{Value, json};

use super::super::*;
use crate::resource::{CONFIG_MAPS, PODS};

#[track_caller]
fn spec(object: Value, patch: Value) -> Value {
    let object = json!({ "spec": object });
    let mut done = patched(PODS, object, PatchKind::Strategic, &json!({ "spec": patch })).unwrap();
    done["spec"].take()
}

fn refused(object: Value, patch: Value) -> String {
    let patch = json!({ "spec": patch });
    let object = json!({ "spec": object });
    patched(PODS, object, PatchKind::Strategic, &patch).unwrap_err().to_string()
}

#[test]
fn containers_are_merged_by_name_in_the_order_of_the_patch() {
    let object = json!({ "restartPolicy": "Always", "containers": [
        { "name": "a", "image": "a:1", "command": ["x", "y"] },
        { "name": "b", "image": "b:1" },
    ] });
    assert_eq!(
        spec(
            object,
            json!({ "containers": [
            { "name": "c", "image": "c:1", "command": null },
            { "name": "a", "image": "a:2", "command": ["z"] },
        ] })
        ),
        json!({ "restartPolicy": "Always", "containers": [
            { "name": "c", "image": "c:1" },
            { "name": "a", "image": "a:2", "command": ["z"] },
            { "name": "b", "image": "b:1" },
        ] })
    );
}

#[test]
fn every_list_has_its_own_key() {
    let object = json!({
        "containers": [{ "name": "a",
            "ports": [{ "containerPort": 80, "name": "http" }],
            "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "1" }],
            "volumeMounts": [{ "mountPath": "/a", "name": "v" }] }],
        "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["a"] }],
        "tolerations": [{ "key": "a" }],
    });
    let patch = json!({
        "containers": [{ "name": "a",
            "ports": [{ "containerPort": 80, "name": "web" }, { "containerPort": 81 }],
            "env": [{ "name": "A", "$patch": "delete" }, { "name": "C", "value": "1" }],
            "volumeMounts": [{ "mountPath": "/a", "readOnly": true }] }],
        "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["b"] }],
        "tolerations": [{ "key": "b" }],
    });
    assert_eq!(
        spec(object, patch),
        json!({
            "containers": [{ "name": "a",
                "ports": [{ "containerPort": 80, "name": "web" }, { "containerPort": 81 }],
                "env": [{ "name": "C", "value": "1" }, { "name": "B", "value": "1" }],
                "volumeMounts": [{ "mountPath": "/a", "name": "v", "readOnly": true }] }],
            "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["b"] }],
            "tolerations": [{ "key": "b" }],
        })
    );
}

#[test]
fn directives_replace_and_delete() {
    let object = json!({ "securityContext": { "runAsUser": 1 }, "nodeSelector": { "a": "b" },
        "volumes": [{ "name": "a", "emptyDir": {} }, { "name": "b", "emptyDir": {} }] });
    assert_eq!(
        spec(
            object.clone(),
            json!({
                "securityContext": { "$patch": "replace", "runAsGroup": 2 },
                "nodeSelector": { "$patch": "delete" },
                "volumes": [{ "name": "c", "emptyDir": {} }, { "$patch": "replace" }],
            })
        ),
        json!({ "securityContext": { "runAsGroup": 2 }, "nodeSelector": {},
            "volumes": [{ "name": "c", "emptyDir": {} }] })
    );
    assert_eq!(spec(object.clone(), json!({ "$patch": "delete" })), json!({}));
    assert_eq!(
        spec(object, json!({ "$patch": "merge", "volumes": null })),
        json!({ "securityContext": { "runAsUser": 1 }, "nodeSelector": { "a": "b" } })
    );
}

#[test]
fn a_volume_changes_its_source() {
    let object = json!({ "volumes": [{ "name": "v", "emptyDir": {} }] });
    let patch = json!({ "volumes": [
        { "$retainKeys": ["configMap", "name"], "configMap": { "name": "z" }, "name": "v" },
    ] });
    assert_eq!(
        spec(object.clone(), patch),
        json!({ "volumes": [{ "name": "v", "configMap": { "name": "z" } }] })
    );
    let wrong = json!({ "volumes": [{ "$retainKeys": ["name"], "secret": {}, "name": "v" }] });
    assert_eq!(refused(object, wrong), "invalid patch format of retainKeys");
}

#[test]
fn the_order_is_what_the_patch_says() {
    let list =
        |names: &[&str]| -> Value { names.iter().map(|name| json!({ "name": name })).collect() };
    let object = json!({ "containers": list(&["a", "x", "b", "y"]) });
    let ordered = |order: &[&str], patch: Value| {
        let mut patch = json!({ "containers": patch });
        patch["$setElementOrder/containers"] = list(order);
        spec(object.clone(), patch)["containers"].clone()
    };
    assert_eq!(ordered(&["b", "a"], list(&["b"])), list(&["x", "b", "a", "y"]));
    assert_eq!(ordered(&["c", "a", "b"], list(&["c"])), list(&["c", "a", "x", "b", "y"]));
    let only_order = json!({ "$setElementOrder/containers": list(&["y", "x"]) });
    assert_eq!(spec(object.clone(), only_order)["containers"], list(&["a", "b", "y", "x"]));
    let wrong = json!({ "$setElementOrder/containers": list(&["a", "b"]),
        "containers": list(&["b", "a"]) });
    assert!(refused(object, wrong).starts_with("The order in patch list:\n"));
}

#[test]
fn finalizers_are_a_set() {
    let object = json!({ "metadata": { "finalizers": ["a/a", "b/b"], "labels": { "a": "b" } } });
    let patch = |patch: Value| {
        let patch = json!({ "metadata": patch });
        let done = patched(CONFIG_MAPS, object.clone(), PatchKind::Strategic, &patch).unwrap();
        done["metadata"]["finalizers"].clone()
    };
    assert_eq!(patch(json!({ "finalizers": ["c/c", "a/a"] })), json!(["c/c", "a/a", "b/b"]));
    let deletion = json!({ "$deleteFromPrimitiveList/finalizers": ["a/a", "z/z"] });
    assert_eq!(patch(deletion), json!(["b/b"]));
    let both = json!({ "$setElementOrder/finalizers": ["c/c", "b/b"], "finalizers": ["c/c"],
        "$deleteFromPrimitiveList/finalizers": ["a/a"] });
    assert_eq!(patch(both), json!(["c/c", "b/b"]));
}

#[test]
fn what_cannot_be_merged_is_told() {
    let object = json!({ "containers": [{ "name": "a" }] });
    let said = [
        json!({ "containers": [{ "image": "a" }] }),
        json!({ "containers": [{ "$patch": "delete" }] }),
        json!({ "containers": ["a"] }),
        json!({ "containers": [[]] }),
        json!({ "containers": [{ "name": "a", "$patch": "drop" }] }),
        json!({ "$setElementOrder": [] }),
        json!({ "$setElementOrder/containers": {} }),
        json!({ "$deleteFromPrimitiveList": [] }),
        json!({ "$patch": 1 }),
    ]
    .map(|patch| format!("{patch}  ->  {}", refused(object.clone(), patch.clone())));
    insta::assert_snapshot!(said.join("\n"), @r##"
    {"containers":[{"image":"a"}]}  ->  map: {"image":"a"} does not contain declared merge key: name
    {"containers":[{"$patch":"delete"}]}  ->  map: {} does not contain declared merge key: name
    {"containers":["a"]}  ->  list element types are not identical: [{"name":"a"},"a"]
    {"containers":[[]]}  ->  lists of lists are not supported
    {"containers":[{"$patch":"drop","name":"a"}]}  ->  unknown patch type: "drop"
    {"$setElementOrder":[]}  ->  invalid patch format of setElementOrder list
    {"$setElementOrder/containers":{}}  ->  invalid patch format of setElementOrder list
    {"$deleteFromPrimitiveList":[]}  ->  invalid patch format of primitive list
    {"$patch":1}  ->  unknown patch type: 1
    "##);
}
