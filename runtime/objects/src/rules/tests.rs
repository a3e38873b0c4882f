use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::resource::{KNOWN, PODS, SECRETS, SERVICES};

#[test]
fn a_client_says_nothing_of_the_status_of_what_is_new() {
    let service = json!({ "metadata": { "name": "a" },
        "spec": { "ports": [{ "port": 80 }] }, "status": { "loadBalancer": { "ingress": [] } } });
    let service = for_create(SERVICES, service).unwrap();
    assert_eq!(service["status"], json!({ "loadBalancer": {} }));
    assert_eq!(service["spec"]["type"], "ClusterIP");
    let secret = json!({ "metadata": { "name": "a" }, "stringData": { "a": "x" } });
    let secret = for_create(SECRETS, secret).unwrap();
    assert_eq!(secret["data"], json!({ "a": "eA==" }));
    assert_eq!(secret.get("stringData"), None);
}

#[test]
fn what_was_written_without_defaults_can_be_changed() {
    let stored = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" },
        "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    let mut changed = stored.clone();
    changed["metadata"]["labels"] = json!({ "a": "b" });
    assert!(for_update(PODS, changed, &stored).is_ok());
}

/// Objects whose fields have the right names and any values.
fn objects() -> impl Strategy<Value = Value> {
    let field = prop::sample::select(vec![
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "status",
        "data",
        "type",
        "name",
        "namespace",
        "labels",
        "finalizers",
        "containers",
        "image",
        "resources",
        "limits",
        "cpu",
        "volumes",
        "emptyDir",
        "sizeLimit",
        "tolerations",
        "key",
        "involvedObject",
        "immutable",
        "ports",
        "port",
        "selector",
        "requests",
        "storage",
        "accessModes",
        "deletionTimestamp",
        "activeDeadlineSeconds",
        "terminationGracePeriodSeconds",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        field.clone().prop_map(Value::from),
        "[-.a-z0-9A-Z:/=]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let map = prop::collection::btree_map(field.clone(), inner.clone(), 0..8);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            3 => map.prop_map(|map| {
                map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_is_too_strange(mut object in objects(), stored in objects()) {
        for resource in KNOWN {
            let _ = check_kind(resource, &mut object);
            let _ = check_namespace(resource, "default", &mut object);
            let _ = for_create(resource, object.clone());
            let _ = for_update(resource, object.clone(), &stored);
            if let Ok(kept) = for_create(resource, object.clone()) {
                // What is kept can be read again, and what is the same may always be written.
                let again = for_update(resource, kept.clone(), &kept);
                prop_assert_eq!(again.map_err(|error| error.to_string()), Ok(kept));
            }
        }
    }
}
