use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use crate::resource::PODS;

fn patch(original: &Value, modified: &Value, current: &Value) -> Value {
    let [Value::Object(original), Value::Object(modified), Value::Object(current)] =
        [original, modified, current]
    else {
        panic!("objects");
    };
    Value::Object(super::super::three_way(PODS, original, modified, current).unwrap())
}

/// What `kubectl` 1.32 was seen to send for this change.
#[test]
fn the_patch_is_the_one_that_kubectl_sends() {
    let original = json!({ "metadata": { "annotations": { "k": "v" }, "labels": { "a": "1", "b": "2" } },
        "spec": {
            "containers": [{ "name": "c", "image": "x:1", "command": ["a"], "ports": [{ "containerPort": 80 }],
                "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] }],
            "tolerations": [{ "key": "a" }],
            "volumes": [{ "name": "v", "emptyDir": {} }],
        } });
    let modified = json!({ "metadata": { "annotations": {}, "labels": { "a": "1" } },
        "spec": {
            "containers": [
                { "name": "c", "image": "x:2", "env": [{ "name": "B", "value": "3" }] },
                { "name": "d", "image": "y" },
            ],
            "volumes": [{ "name": "v", "configMap": { "name": "z" } }],
        } });
    assert_eq!(
        patch(&original, &modified, &original),
        json!({
            "metadata": { "annotations": { "k": null }, "labels": { "b": null } },
            "spec": {
                "$setElementOrder/containers": [{ "name": "c" }, { "name": "d" }],
                "$setElementOrder/volumes": [{ "name": "v" }],
                "containers": [
                    { "$setElementOrder/env": [{ "name": "B" }], "command": null,
                      "env": [{ "name": "B", "value": "3" }, { "$patch": "delete", "name": "A" }],
                      "image": "x:2", "name": "c", "ports": null },
                    { "name": "d", "image": "y" },
                ],
                "tolerations": null,
                "volumes": [{ "$retainKeys": ["configMap", "name"], "configMap": { "name": "z" },
                    "emptyDir": null, "name": "v" }],
            },
        })
    );
}

#[test]
fn what_is_the_same_needs_no_patch() {
    let manifest = json!({ "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    let mut current = manifest.clone();
    current["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
    current["status"] = json!({ "phase": "Running" });
    assert_eq!(patch(&manifest, &manifest, &current), json!({}));
    assert_eq!(patch(&json!({}), &manifest, &current), json!({}));
}

#[test]
fn what_others_have_added_stays() {
    let before = json!({ "spec": { "containers": [{ "name": "a", "image": "a:1" }] } });
    let after = json!({ "spec": { "containers": [{ "name": "a", "image": "a:2" }] } });
    let mut current = before.clone();
    current["spec"]["containers"] = json!([
        { "name": "sidecar", "image": "s" },
        { "name": "a", "image": "a:1" },
    ]);
    let patch = patch(&before, &after, &current);
    let done = patched(PODS, current, PatchKind::Strategic, &patch).unwrap();
    assert_eq!(
        done["spec"]["containers"],
        json!([{ "name": "sidecar", "image": "s" }, { "name": "a", "image": "a:2" }])
    );
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn map<T: Into<Value> + std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(word(), value, 0..3).prop_map(|map: BTreeMap<String, T>| {
        map.into_iter().map(|(key, value)| (key, value.into())).collect::<Map<_, _>>().into()
    })
}

/// A list of objects that are named by `key`.
fn named(
    key: &'static str,
    fields: impl Strategy<Value = Value> + 'static,
) -> impl Strategy<Value = Value> {
    prop::collection::vec((word(), fields), 0..4).prop_map(move |elements| {
        let mut names = Vec::new();
        let mut list = Vec::new();
        for (name, mut element) in elements {
            if !names.contains(&name) {
                element[key] = name.clone().into();
                names.push(name);
                list.push(element);
            }
        }
        Value::Array(list)
    })
}

fn pod() -> impl Strategy<Value = Value> {
    let source = prop::sample::select(vec!["emptyDir", "secret", "configMap"]);
    let volume = (source, map(word())).prop_map(|(source, inner)| json!({ source: inner }));
    let env = named("name", map(word()).prop_map(|value| json!({ "value": value })));
    let container =
        (prop::option::of(word()), prop::option::of(env), prop::option::of(map(word()))).prop_map(
            |(image, env, command)| {
                let mut container = Map::new();
                container.extend(image.map(|image| ("image".to_owned(), image.into())));
                container.extend(env.map(|env| ("env".to_owned(), env)));
                container.extend(command.map(|command| ("args".to_owned(), json!([command]))));
                Value::Object(container)
            },
        );
    (
        prop::option::of(map(word())),
        prop::collection::btree_set(word(), 0..3),
        prop::option::of(named("name", container)),
        prop::option::of(named("name", volume)),
        prop::option::of(word()),
    )
        .prop_map(|(labels, finalizers, containers, volumes, node)| {
            let finalizers: Vec<String> = finalizers.into_iter().collect();
            let mut metadata = Map::new();
            metadata.extend(labels.map(|labels| ("labels".to_owned(), labels)));
            if !finalizers.is_empty() {
                metadata.insert("finalizers".to_owned(), finalizers.into());
            }
            let mut spec = Map::new();
            spec.extend(containers.map(|containers| ("containers".to_owned(), containers)));
            spec.extend(volumes.map(|volumes| ("volumes".to_owned(), volumes)));
            spec.extend(node.map(|node| ("nodeName".to_owned(), node.into())));
            json!({ "metadata": metadata, "spec": spec })
        })
}

const NAMED: [&str; 3] = ["containers", "volumes", "env"];

/// Whether all that `wanted` says is so; a list keeps the order that it asks for.
fn says(field: &str, object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (Value::Object(object), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| object.get(key).is_some_and(|object| says(key, object, value))),
        (Value::Array(object), Value::Array(wanted)) if NAMED.contains(&field) => {
            let place = |element: &Value| {
                object
                    .iter()
                    .position(|other| other["name"] == element["name"] && says("", other, element))
            };
            let places: Vec<Option<usize>> = wanted.iter().map(place).collect();
            places.iter().all(Option::is_some) && places.is_sorted()
        }
        (Value::Array(object), Value::Array(wanted)) if field == "finalizers" => {
            wanted.iter().all(|element| object.contains(element))
        }
        (object, wanted) => object == wanted,
    }
}

/// Whether nothing is left of what `original` has and `modified` has not.
fn is_rid_of(field: &str, object: &Value, original: &Value, modified: &Value) -> bool {
    match (object, original, modified) {
        (Value::Object(object), Value::Object(original), Value::Object(modified)) => {
            original.iter().all(|(key, old)| match (object.get(key), modified.get(key)) {
                (object, None) => object.is_none(),
                (Some(object), Some(modified)) => is_rid_of(key, object, old, modified),
                (None, Some(_)) => false,
            })
        }
        (Value::Array(object), Value::Array(original), Value::Array(modified))
            if NAMED.contains(&field) =>
        {
            let of = |list: &[Value], name: &Value| {
                list.iter().find(|element| element["name"] == *name).cloned()
            };
            original.iter().all(|old| {
                match (of(object, &old["name"]), of(modified, &old["name"])) {
                    (object, None) => object.is_none(),
                    (Some(object), Some(modified)) => is_rid_of("", &object, old, &modified),
                    (None, Some(_)) => false,
                }
            })
        }
        (Value::Array(object), Value::Array(original), Value::Array(modified))
            if field == "finalizers" =>
        {
            original.iter().all(|old| modified.contains(old) || !object.contains(old))
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn an_applied_manifest_holds(original in pod(), modified in pod(), others in pod()) {
        // What is there: what was applied, and what others have made of it.
        let first = patch(&json!({}), &original, &others);
        let current = patched(PODS, others, PatchKind::Strategic, &first).unwrap();
        prop_assert!(says("", &current, &original), "{current} has not all of {original}");

        let second = patch(&original, &modified, &current);
        let done = patched(PODS, current, PatchKind::Strategic, &second).unwrap();
        prop_assert!(says("", &done, &modified), "{done} has not all of {modified}");
        prop_assert!(is_rid_of("", &done, &original, &modified), "{done}");
        prop_assert!(!done.to_string().contains('$'), "{done}");

        let again = patch(&modified, &modified, &done);
        let same = patched(PODS, done.clone(), PatchKind::Strategic, &again).unwrap();
        prop_assert_eq!(same, done, "{}", again);
    }
}
