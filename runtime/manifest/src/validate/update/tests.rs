use k8s_openapi::api::core::v1::{ConfigMap, Event, PersistentVolumeClaim, Secret, Service};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::field::FieldError;

fn of<Kind: DeserializeOwned>(value: &Value) -> Kind {
    serde_json::from_value(value.clone()).unwrap()
}

/// What is said of a change at the place that a JSON pointer names.
#[track_caller]
fn said<Kind: DeserializeOwned>(
    rule: fn(&Kind, &Kind) -> Vec<FieldError>,
    object: &Value,
    pointer: &str,
    value: Value,
) -> Vec<String> {
    let mut changed = object.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list.push(value),
        parent => parent[field] = value,
    }
    rule(&of(&changed), &of(object)).iter().map(ToString::to_string).collect()
}

fn pod() -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" }, "spec": {
        "containers": [{ "name": "a", "image": "a:1",
            "resources": { "limits": { "memory": "1Gi" } } }],
        "initContainers": [{ "name": "i", "image": "i:1" }],
        "activeDeadlineSeconds": 60,
        "terminationGracePeriodSeconds": 30,
        "tolerations": [{ "key": "k", "operator": "Exists", "tolerationSeconds": 5 }],
        "volumes": [{ "name": "v", "emptyDir": { "sizeLimit": "1Gi" } }],
    } })
}

#[test]
fn what_a_pod_allows() {
    let pod = pod();
    for (pointer, value) in [
        ("/spec/containers/0/image", json!("a:2")),
        ("/spec/initContainers/0/image", json!("i:2")),
        ("/spec/activeDeadlineSeconds", json!(59)),
        ("/spec/tolerations/-", json!({ "key": "other", "operator": "Exists" })),
        ("/spec/tolerations/0", json!({ "key": "more", "operator": "Exists" })),
        ("/spec/containers/0/resources", json!({ "limits": { "memory": "1024Mi" } })),
        ("/spec/volumes/0/emptyDir/sizeLimit", json!("1024Mi")),
        ("/spec/nodeSelector", json!({})),
        ("/spec/imagePullSecrets", json!([])),
        ("/metadata/labels", json!({ "a": "b" })),
    ] {
        assert_eq!(said(pod_update, &pod, pointer, value), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn what_a_pod_refuses() {
    let pod = pod();
    let changes = [
        ("/spec/containers/0/command", json!(["x"])),
        ("/spec/containers/-", json!({ "name": "b" })),
        ("/spec/initContainers/-", json!({ "name": "b" })),
        ("/spec/activeDeadlineSeconds", json!(61)),
        ("/spec/activeDeadlineSeconds", json!(-1)),
        ("/spec/activeDeadlineSeconds", json!(null)),
        ("/spec/terminationGracePeriodSeconds", json!(1)),
        ("/spec/tolerations", json!([])),
    ];
    let all: Vec<String> = changes
        .into_iter()
        .flat_map(|(pointer, value)| said(pod_update, &pod, pointer, value))
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r##"
    spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
    spec.containers: Forbidden: pod updates may not add or remove containers
    spec.initContainers: Forbidden: pod updates may not add or remove containers
    spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value
    spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive
    spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value
    spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
    spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds
    "##);
    let mut changed = pod.clone();
    changed["spec"]["containers"][0]["command"] = json!(["x"]);
    changed["spec"]["volumes"] = json!([]);
    let errors = pod_update(&of(&changed), &of(&pod));
    assert_eq!(
        errors[0].hint.as_deref(),
        Some("changed: spec.containers[0].command, spec.volumes")
    );
}

#[test]
fn a_negative_grace_period_may_become_one_second() {
    let mut pod = pod();
    pod["spec"]["terminationGracePeriodSeconds"] = json!(-5);
    let pointer = "/spec/terminationGracePeriodSeconds";
    assert!(said(pod_update, &pod, pointer, json!(1)).is_empty());
    assert!(!said(pod_update, &pod, pointer, json!(2)).is_empty());
}

#[test]
fn who_is_going_gets_no_new_finalizers() {
    let mut pod = pod();
    pod["metadata"]["finalizers"] = json!(["a.b/c"]);
    let more = json!(["a.b/c", "a.b/d"]);
    assert!(said(pod_update, &pod, "/metadata/finalizers", more.clone()).is_empty());
    pod["metadata"]["deletionTimestamp"] = json!("2026-11-30T20:21:22Z");
    assert_eq!(
        said(pod_update, &pod, "/metadata/finalizers", more),
        ["metadata.finalizers: Forbidden: no new finalizers can be added if the object is being \
          deleted, found new finalizers []string{\"a.b/d\"}"]
    );
    assert!(said(pod_update, &pod, "/metadata/finalizers", json!([])).is_empty());
}

#[test]
fn config_maps_and_secrets_may_be_frozen() {
    let mut map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": {},
        "data": { "a": "b" } });
    let rule = config_map_update as fn(&ConfigMap, &ConfigMap) -> Vec<FieldError>;
    assert!(said(rule, &map, "/data/a", json!("c")).is_empty());
    map["immutable"] = json!(true);
    assert_eq!(
        said(rule, &map, "/data/a", json!("c")),
        ["data: Forbidden: field is immutable when `immutable` is set"]
    );
    assert_eq!(said(rule, &map, "/immutable", json!(false)).len(), 1);
    assert_eq!(said(rule, &map, "/binaryData", json!({ "x": "eA==" })).len(), 1);
    assert!(said(rule, &map, "/binaryData", json!({})).is_empty());

    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": {},
        "data": { "a": "eA==" }, "type": "Opaque", "immutable": true });
    let rule = secret_update as fn(&Secret, &Secret) -> Vec<FieldError>;
    assert_eq!(
        said(rule, &secret, "/type", json!("x/y")),
        ["type: Invalid value: \"x/y\": field is immutable"]
    );
    assert_eq!(said(rule, &secret, "/data/a", json!("eQ==")).len(), 1);
}

#[test]
fn a_claim_may_ask_for_more_once_it_is_bound() {
    let mut claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {},
        "spec": { "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "2Gi" } } },
        "status": { "phase": "Pending", "capacity": { "storage": "1Gi" } } });
    let rule = persistent_volume_claim_update
        as fn(&PersistentVolumeClaim, &PersistentVolumeClaim) -> Vec<FieldError>;
    let size = "/spec/resources/requests/storage";
    let immutable = "spec: Forbidden: spec is immutable after creation except resources.requests \
        and volumeAttributesClassName for bound claims";
    assert_eq!(said(rule, &claim, size, json!("3Gi")), [immutable]);
    assert!(said(rule, &claim, "/spec/volumeName", json!("pv")).is_empty());
    assert!(said(rule, &claim, "/spec/storageClassName", json!("fast")).is_empty());
    claim["status"]["phase"] = json!("Bound");
    assert!(said(rule, &claim, size, json!("3Gi")).is_empty());
    assert!(said(rule, &claim, size, json!("1.5Gi")).is_empty());
    assert_eq!(
        said(rule, &claim, size, json!("1Gi")),
        ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]
    );
    assert_eq!(said(rule, &claim, "/spec/accessModes", json!(["ReadWriteMany"])), [immutable]);
}

#[test]
fn a_service_keeps_its_address_and_an_event_its_namespace() {
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": {},
        "spec": { "type": "ClusterIP", "clusterIP": "10.0.0.1" } });
    let rule = service_update as fn(&Service, &Service) -> Vec<FieldError>;
    assert_eq!(
        said(rule, &service, "/spec/clusterIP", json!("10.0.0.2")),
        ["spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"]
    );
    let told = |event: Value| -> Vec<String> {
        super::event(&of::<Event>(&event)).iter().map(ToString::to_string).collect()
    };
    let mut event = json!({ "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": "a", "namespace": "x" }, "involvedObject": { "namespace": "x" } });
    assert!(told(event.clone()).is_empty());
    event["involvedObject"]["namespace"] = json!("y");
    assert_eq!(
        told(event),
        ["involvedObject.namespace: Invalid value: \"y\": does not match event.namespace"]
    );
}
