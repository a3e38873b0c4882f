use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use crate::resource::PODS;
use crate::status::{ApiError, Reason};

fn merge(object: Value, patch: Value) -> Value {
    patched(PODS, object, PatchKind::Merge, &patch).unwrap()
}

#[test]
fn a_merge_patch_replaces_lists_and_removes_what_is_null() {
    let object = json!({ "spec": { "a": 1, "b": [1, 2], "c": { "d": 1, "e": 2 } } });
    assert_eq!(
        merge(object, json!({ "spec": { "a": null, "b": [3], "c": { "d": null } } })),
        json!({ "spec": { "b": [3], "c": { "e": 2 } } })
    );
    assert_eq!(merge(json!({}), json!({ "a": { "b": null } })), json!({ "a": {} }));
    let no_object = patched(PODS, json!({}), PatchKind::Merge, &json!([]));
    assert_eq!(no_object, Err(PatchError::NoObject));
}

fn operate(object: Value, patch: Value) -> Result<Value, ApiError> {
    Ok(patched(PODS, object, PatchKind::Json, &patch)?)
}

#[test]
fn a_json_patch_is_carried_out_step_by_step() {
    let done = operate(
        json!({ "a": [1, 2], "b": "x" }),
        json!([
            { "op": "test", "path": "/b", "value": "x" },
            { "op": "add", "path": "/a/-", "value": 3 },
            { "op": "add", "path": "/a/0", "value": 0 },
            { "op": "remove", "path": "/a/1" },
            { "op": "copy", "from": "/b", "path": "/c" },
            { "op": "move", "from": "/c", "path": "/d~1e" },
            { "op": "replace", "path": "/b", "value": null },
        ]),
    );
    assert_eq!(done, Ok(json!({ "a": [0, 2, 3], "b": null, "d/e": "x" })));
}

#[test]
fn an_operation_that_fails_is_named() {
    let said = |patch: Value| {
        let error = operate(json!({ "a": { "b": 1 } }), patch).unwrap_err();
        let causes = error.details.as_ref().and_then(|details| details.causes.clone());
        let cause = causes.into_iter().flatten().next().and_then(|cause| cause.message);
        (error.reason, cause.unwrap_or(error.message))
    };
    let (reason, text) = said(json!([
        { "op": "test", "path": "/a/b", "value": 1 },
        { "op": "remove", "path": "/a/c" },
    ]));
    assert_eq!(
        (reason, text.as_str()),
        (Reason::Invalid, "operation 1, at \"/a/c\": path is invalid")
    );
    let (reason, _) = said(json!({ "op": "remove" }));
    assert_eq!(reason, Reason::BadRequest);
    let (_, text) = said(json!([{ "op": "test", "path": "/a/b", "value": 2 }]));
    assert_eq!(text, "operation 0, at \"/a/b\": value did not match");
    let many = vec![json!({ "op": "test", "path": "/a/b", "value": 1 }); 10_001];
    assert_eq!(said(Value::Array(many)).0, Reason::RequestEntityTooLarge);
}

#[test]
fn copies_cannot_fill_the_memory() {
    let copies = (0..40).map(|_| json!({ "op": "copy", "from": "/a", "path": "/a/-" }));
    let patch = Value::Array(copies.collect());
    let error = operate(json!({ "a": ["x".repeat(100)] }), patch).unwrap_err();
    assert_eq!(error.reason, Reason::RequestEntityTooLarge);
}

#[test]
fn copies_cannot_nest_without_end() {
    // Each copy is put into what was copied: the depth doubles.
    let mut operations = Vec::new();
    let mut levels = 0;
    for _ in 0..5 {
        let path = format!("/a{}", "/b".repeat(levels + 1));
        operations.push(json!({ "op": "copy", "from": "/a", "path": path }));
        levels = 2 * levels + 1;
    }
    let start = json!({ "a": {} });
    assert!(operate(start.clone(), Value::Array(operations.clone())).is_ok(), "{levels} levels");
    for _ in 0..12 {
        let path = format!("/a{}", "/b".repeat(levels + 1));
        operations.push(json!({ "op": "copy", "from": "/a", "path": path }));
        levels = 2 * levels + 1;
    }
    let error = operate(start, Value::Array(operations)).unwrap_err();
    assert_eq!(error.reason, Reason::Invalid);
    let deep = (0..99).fold(json!(1), |inner, _| json!([inner]));
    let add = json!([{ "op": "add", "path": "/a/b", "value": deep }]);
    assert_eq!(operate(json!({ "a": {} }), add).unwrap_err().reason, Reason::Invalid);
}

#[test]
fn a_content_type_names_the_kind() {
    for kind in [PatchKind::Strategic, PatchKind::Merge, PatchKind::Json] {
        assert_eq!(PatchKind::of_content_type(kind.content_type()), Some(kind));
    }
    let with_charset = "application/merge-patch+json; charset=utf-8";
    assert_eq!(PatchKind::of_content_type(with_charset), Some(PatchKind::Merge));
    assert_eq!(PatchKind::of_content_type("application/apply-patch+yaml"), None);
    assert_eq!(PatchKind::of_name("strategic"), Some(PatchKind::Strategic));
    assert_eq!(PatchKind::of_name("smp"), None);
}

/// Any JSON, made of words that mean something to a patch.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "name",
        "spec",
        "metadata",
        "containers",
        "env",
        "ports",
        "finalizers",
        "volumes",
        "$patch",
        "$retainKeys",
        "$setElementOrder/containers",
        "$setElementOrder/env",
        "$setElementOrder",
        "$deleteFromPrimitiveList/finalizers",
        "$deleteFromPrimitiveList",
        "delete",
        "replace",
        "merge",
        "op",
        "path",
        "from",
        "value",
        "add",
        "remove",
        "copy",
        "move",
        "test",
        "/spec",
        "/spec/containers/-",
        "/spec/containers/0",
        "",
        "/",
        "-",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let map = prop::collection::btree_map(word.clone(), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            map.prop_map(|map| map
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_patch_is_too_strange(object in anything(), patch in anything(), other in anything()) {
        for kind in [PatchKind::Strategic, PatchKind::Merge, PatchKind::Json] {
            let _ = patched(PODS, object.clone(), kind, &patch).map_err(ApiError::from);
        }
        if let [Value::Object(one), Value::Object(two), Value::Object(three)] =
            [&object, &patch, &other]
        {
            let _ = three_way(PODS, one, two, three);
        }
        let _ = apply::plan(PODS, &object, &patch);
    }
}
