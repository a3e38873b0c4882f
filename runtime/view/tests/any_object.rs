//! No object is a panic, whatever it says it is and whatever it holds.
#![expect(clippy::unwrap_used, reason = "a test with helpers, which clippy does not know for one")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wasmpod_view::describe::{Surroundings, describe};
use wasmpod_view::output::{to_json, to_yaml};
use wasmpod_view::resource_args::{ArgsOptions, BUILT_IN, NoName, parse};
use wasmpod_view::table::{IncludeObject, TextOptions, table};
use wasmpod_view::wait::WaitFor;

const KINDS: [&str; 9] = [
    "Pod",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "Event",
    "Service",
    "Node",
    "Namespace",
    "Other",
];

/// Names of fields that are read somewhere, so that chance finds them.
const FIELDS: [&str; 22] = [
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "spec",
    "status",
    "containers",
    "initContainers",
    "volumes",
    "conditions",
    "type",
    "data",
    "env",
    "valueFrom",
    "fieldRef",
    "resources",
    "limits",
    "cpu",
    "ports",
    "message",
    "deletionTimestamp",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\t\n]{0,12}",
        "\\PC{0,6}",
        Just("2026-11-30T08:00:00Z".to_owned()),
        Just("9999-12-30T22:00:00Z".to_owned()),
        Just("1e400".to_owned()),
        Just("-5".to_owned()),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 5, |inner| {
        let field =
            prop_oneof![prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned), text()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field, inner), 0..5)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Replaces a part of a good object by anything, as a stranger may.
fn broken(mut object: Value, path: &[usize], value: Value) -> Value {
    fn place<'value>(value: &'value mut Value, path: &[usize]) -> &'value mut Value {
        let Some((step, rest)) = path.split_first() else { return value };
        let is_leaf = match &*value {
            Value::Object(map) => map.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => true,
        };
        if is_leaf {
            return value;
        }
        match value {
            Value::Object(map) => {
                let key = map.keys().nth(step % map.len()).unwrap().clone();
                place(&mut map[&key], rest)
            }
            Value::Array(items) => {
                let at = step % items.len();
                place(&mut items[at], rest)
            }
            leaf => leaf,
        }
    }
    *place(&mut object, path) = value;
    object
}

fn good() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/objects");
    let files = std::fs::read_dir(folder).unwrap();
    let text = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    text.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

fn show(object: &Value) {
    let now: Timestamp = "2026-11-30T08:00:00Z".parse().unwrap();
    let around = Surroundings::new(now, TimeZone::UTC);
    drop(describe(object, &around));
    let kind = object["kind"].as_str().unwrap_or_default();
    let table = table("", kind, std::slice::from_ref(object), now);
    let wide =
        TextOptions { wide: true, show_labels: true, namespace: true, ..TextOptions::default() };
    table.to_text(&wide);
    table.to_json(IncludeObject::Metadata, "1");
    to_json(object);
    to_yaml(object);
    drop(WaitFor::parse("condition=Ready").unwrap().is_met(Some(object)));
}

proptest! {
    #[test]
    fn any_object_is_shown(
        kind in prop::sample::select(KINDS.to_vec()),
        fields in prop::collection::vec(any_value(), 3),
    ) {
        show(&json!({
            "apiVersion": "v1",
            "kind": kind,
            "metadata": fields[0],
            "spec": fields[1],
            "status": fields[2],
        }));
        show(&fields[0]);
    }

    #[test]
    fn a_broken_object_is_shown(
        choice in any::<prop::sample::Index>(),
        path in prop::collection::vec(any::<usize>(), 1..8),
        value in any_value(),
    ) {
        let good = good();
        show(&broken(good[choice.index(good.len())].clone(), &path, value));
    }

    #[test]
    fn any_arguments_mean_something_or_nothing(
        args in prop::collection::vec("[a-z,./ ]{0,8}|pods?|cm|all|é/", 0..5),
        selector in any::<bool>(),
        all_namespaces in any::<bool>(),
        condition in "(condition=|jsonpath=)?[a-z{}.=\\[\\]?@é'\"]{0,20}",
    ) {
        let options = ArgsOptions { selector, all_namespaces, no_name: NoName::All };
        drop(parse(&args, BUILT_IN, options));
        drop(WaitFor::parse(&condition));
    }
}
