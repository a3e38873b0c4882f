use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::world::*;
use crate::Key;
use crate::resource::{CONFIG_MAPS, EVENTS, NODES, PODS};
use crate::selector::Selection;
use crate::status::{ApiError, Reason};
use crate::store::{Create, Namespaces, Origin, Persist, Update};

const CLIENT: Update = Update { origin: Origin::Client, persist: Persist::Yes };

#[test]
fn a_client_creates_a_pod_and_reads_it() {
    let world = World::new();
    let mut sent = pod("web");
    sent["status"] = json!({ "phase": "Running" });
    sent["metadata"]["uid"] = json!("mine");
    let created = world.create(sent);
    assert_eq!(created["metadata"]["namespace"], "default");
    assert_eq!(created["metadata"]["creationTimestamp"], "2026-11-30T20:00:00Z");
    assert_eq!(created["metadata"]["generation"], 1);
    assert_eq!(created["metadata"]["uid"].as_str().unwrap().len(), 36);
    assert_eq!(created["spec"]["restartPolicy"], "Always", "defaults are filled in");
    assert_eq!(created["status"], json!({ "phase": "Pending" }));
    assert_eq!(world.other().get(&web()).unwrap(), created);

    let again = world.store.create(PODS, "default", pod("web"), &Create::default());
    assert_eq!(refused(again), (Reason::AlreadyExists, "pods \"web\" already exists".into()));
    let missing = world.store.get(&Key::new(PODS, "other", "web"));
    assert_eq!(refused(missing), (Reason::NotFound, "pods \"web\" not found".into()));
}

#[test]
fn files_are_this_users_alone() {
    let world = World::new();
    world.create(pod("web"));
    let root = world.folder.path().join("root");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    for file in std::fs::read_dir(&root).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn what_cannot_be_created_is_told_as_the_api_server_tells_it() {
    let world = World::new();
    let said = |object: Value| {
        let (reason, text) =
            refused(world.store.create(PODS, "default", object, &Create::default()));
        format!("{reason}: {text}")
    };
    let mut named_elsewhere = pod("a");
    named_elsewhere["metadata"]["namespace"] = json!("other");
    let mut revised = pod("a");
    revised["metadata"]["resourceVersion"] = json!("1");
    let mut broken = pod("a");
    broken["spec"]["containers"][0]["name"] = json!("A");
    broken["spec"]["restartPolicy"] = json!("never");
    let all = [
        said(json!([])),
        said(json!({ "kind": "Pot" })),
        said(json!({ "apiVersion": "v2" })),
        said(json!({ "metadata": [] })),
        said(json!({ "metadata": {} })),
        said(json!({ "metadata": { "name": "a" }, "spec": [] })),
        said(named_elsewhere),
        said(revised),
        said(broken),
    ];
    insta::assert_snapshot!(all.join("\n"), @r##"
    BadRequest: the body of the request is no JSON object
    BadRequest: Pot in version "v1" cannot be handled as a Pod: no kind "Pot" is registered for this resource
    BadRequest: the API version in the data (v2) does not match the expected API version (v1)
    BadRequest: Pod in version "v1" cannot be handled as a Pod: metadata is no object
    Invalid: Pod "" is invalid: metadata.name: Required value: name or generateName is required
    BadRequest: Pod in version "v1" cannot be handled as a Pod: invalid type: sequence, expected PodSpec
    BadRequest: the namespace of the provided object does not match the namespace sent on the request
    BadRequest: resourceVersion should not be set on objects to be created
    Invalid: Pod "a" is invalid: [spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), spec.restartPolicy: Unsupported value: "never": supported values: "Always", "Never", "OnFailure"]
    "##);
    assert_eq!(
        world.store.list(PODS, Namespaces::All, &Selection::default()).unwrap().items.len(),
        0
    );
}

#[test]
fn a_name_is_made_for_whoever_has_none() {
    let world = World::new();
    let mut sent = pod("");
    sent["metadata"] = json!({ "generateName": "web-" });
    let (one, other) = (world.create(sent.clone()), world.create(sent));
    let name = one["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("web-") && name.len() == 9, "{name}");
    assert_ne!(one["metadata"]["name"], other["metadata"]["name"]);
}

#[test]
fn the_node_says_what_it_knows() {
    let world = World::new();
    let options =
        Create { origin: Origin::Node, uid: Some("its-own".into()), persist: Persist::Yes };
    let mut sent = pod("web");
    sent["status"] = json!({ "phase": "Running" });
    let created = world.store.create(PODS, "default", sent, &options).unwrap();
    assert_eq!(created["metadata"]["uid"], "its-own");
    assert_eq!(created["status"]["phase"], "Running");
    let node = json!({ "metadata": { "name": "n1" } });
    world.store.create(NODES, "", node, &options).unwrap();
    assert_eq!(world.store.get(&Key::cluster(NODES, "n1")).unwrap()["kind"], "Node");
}

#[test]
fn a_list_is_ordered_and_selected() {
    let world = World::new();
    for (namespace, name) in [("b", "x"), ("a", "z"), ("a", "y")] {
        world.store.create(PODS, namespace, pod(name), &Create::default()).unwrap();
    }
    let maps = json!({ "metadata": { "name": "z" } });
    world.store.create(CONFIG_MAPS, "a", maps, &Create::default()).unwrap();
    let list = |namespaces, selection: &Selection| {
        names(&world.store.list(PODS, namespaces, selection).unwrap().items)
    };
    let all = Selection::default();
    assert_eq!(list(Namespaces::All, &all), ["y", "z", "x"]);
    assert_eq!(list(Namespaces::One("a"), &all), ["y", "z"]);
    assert_eq!(list(Namespaces::All, &labels("app in (x,z)")), ["z", "x"]);
    assert_eq!(list(Namespaces::All, &fields("metadata.name=x")), ["x"]);
    assert_eq!(list(Namespaces::All, &fields("metadata.namespace=b")), ["x"]);
    assert_eq!(list(Namespaces::One("a"), &fields("metadata.namespace=b")), [""; 0]);
    assert_eq!(list(Namespaces::All, &fields("status.phase!=Pending")), [""; 0]);
    let revision = world.store.list(EVENTS, Namespaces::All, &all).unwrap().revision;
    assert_eq!(revision, world.store.revision().unwrap());
}

#[test]
fn an_update_keeps_what_only_the_store_sets() {
    let world = World::new();
    let created = world.create(pod("web"));
    let mut sent = created.clone();
    sent["metadata"]["labels"]["a"] = json!("b");
    sent["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    sent["metadata"]["deletionTimestamp"] = json!("2020-01-01T00:00:00Z");
    sent["metadata"]["generation"] = json!(7);
    sent["status"]["phase"] = json!("Running");
    let updated = world.store.update(&web(), sent, CLIENT).unwrap();
    let mut expected = created.clone();
    expected["metadata"]["labels"]["a"] = json!("b");
    expected["metadata"]["resourceVersion"] = updated["metadata"]["resourceVersion"].clone();
    assert_eq!(updated, expected);
    assert_ne!(updated["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
}

#[test]
fn a_write_from_an_older_state_is_a_conflict() {
    let world = World::new();
    let mut stale = world.create(pod("web"));
    world.set("/metadata/labels", json!({}));
    stale["metadata"]["labels"] = json!({ "a": "b" });
    let expected = "Operation cannot be fulfilled on pods \"web\": the object has been modified; \
        please apply your changes to the latest version and try again";
    let conflict = (Reason::Conflict, expected.to_owned());
    assert_eq!(refused(world.store.update(&web(), stale.clone(), CLIENT)), conflict);
    assert_eq!(refused(world.store.update_status(&web(), stale.clone(), BY_NODE)), conflict);
    // Whoever names no state means the newest.
    stale["metadata"]["resourceVersion"] = json!("");
    let updated = world.store.update(&web(), stale.clone(), CLIENT).unwrap();
    assert_eq!(updated["metadata"]["labels"], json!({ "a": "b" }));
    stale["metadata"]["uid"] = json!("other");
    let (reason, text) = refused(world.store.update(&web(), stale, CLIENT));
    assert_eq!(reason, Reason::Conflict);
    let uid = updated["metadata"]["uid"].as_str().unwrap();
    let end = format!("UID in precondition: other, UID in object meta: {uid}");
    assert!(text.ends_with(&end), "{text}");
}

#[test]
fn a_write_of_the_same_is_no_write() {
    let world = World::new();
    let created = world.create(pod("web"));
    let before = world.store.revision().unwrap();
    assert_eq!(world.store.update(&web(), created.clone(), CLIENT).unwrap(), created);
    assert_eq!(world.store.update_status(&web(), created.clone(), BY_NODE).unwrap(), created);
    assert_eq!(world.store.modify(&web(), BY_NODE, Ok).unwrap(), created);
    // What a client leaves out is what the defaults say.
    assert_eq!(world.store.update(&web(), pod("web"), CLIENT).unwrap(), created);
    assert_eq!(world.store.revision().unwrap(), before);
}

#[test]
fn changes_of_the_spec_are_counted() {
    let world = World::new();
    let mut sent = world.create(pod("web"));
    sent["spec"]["containers"][0]["image"] = json!("app:2");
    let updated = world.store.update(&web(), sent, CLIENT).unwrap();
    assert_eq!(updated["metadata"]["generation"], 2);
    assert_eq!(world.set("/metadata/labels", json!({}))["metadata"]["generation"], 2);
}

#[test]
fn a_change_that_a_pod_does_not_allow_is_refused() {
    let world = World::new();
    let mut sent = world.create(pod("web"));
    sent["spec"]["containers"][0]["command"] = json!(["x"]);
    let (reason, text) = refused(world.store.update(&web(), sent.clone(), CLIENT));
    assert_eq!(reason, Reason::Invalid);
    let start = "Pod \"web\" is invalid: spec: Forbidden: pod updates may not change fields other \
        than `spec.containers[*].image`,";
    assert!(text.starts_with(start), "{text}");
    // The machine itself resizes Pods so.
    let updated = world.store.update(&web(), sent, BY_NODE).unwrap();
    assert_eq!(updated["spec"]["containers"][0]["command"], json!(["x"]));
}

#[test]
fn a_status_is_written_apart() {
    let world = World::new();
    let mut sent = world.create(pod("web"));
    sent["status"] = json!({ "phase": "Running", "podIP": "10.0.0.1" });
    sent["metadata"]["labels"] = json!({ "a": "b" });
    sent["spec"]["nodeName"] = json!("n2");
    let updated = world.store.update_status(&web(), sent, BY_NODE).unwrap();
    assert_eq!(updated["status"]["podIP"], "10.0.0.1");
    assert_eq!(updated["metadata"]["labels"], json!({ "app": "web" }));
    assert_eq!(updated["spec"].get("nodeName"), None);
    assert_eq!(updated["metadata"]["generation"], 1);
}

#[test]
fn a_change_by_what_is_there_may_refuse() {
    let world = World::new();
    world.create(pod("web"));
    let before = world.store.revision().unwrap();
    let refusal = world.store.modify(&web(), BY_NODE, |_| Err(ApiError::bad_request("no")));
    assert_eq!(refused(refusal), (Reason::BadRequest, "no".into()));
    let renamed = world.store.modify(&web(), BY_NODE, |mut pod| {
        pod["metadata"]["name"] = json!("other");
        Ok(pod)
    });
    assert_eq!(
        refused(renamed).1,
        "the name of the object (other) does not match the name on the URL (web)"
    );
    assert_eq!(world.store.revision().unwrap(), before);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let world = World::new();
    let dry = Create { persist: Persist::DryRun, ..Create::default() };
    let created = world.store.create(PODS, "default", pod("web"), &dry).unwrap();
    assert_eq!(created["metadata"]["generation"], 1);
    assert_eq!(refused(world.store.get(&web())).0, Reason::NotFound);
    let mut sent = world.create(pod("web"));
    let before = world.store.revision().unwrap();
    sent["metadata"]["labels"] = json!({ "a": "b" });
    let dry = Update { persist: Persist::DryRun, ..CLIENT };
    let updated = world.store.update(&web(), sent, dry).unwrap();
    assert_eq!(updated["metadata"]["labels"], json!({ "a": "b" }));
    assert_eq!(world.store.get(&web()).unwrap()["metadata"]["labels"], json!({ "app": "web" }));
    assert_eq!(world.store.revision().unwrap(), before);
}

#[test]
fn an_object_is_read_as_what_one_needs_of_it() {
    #[derive(Debug, serde::Deserialize)]
    struct Status {
        phase: String,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Row {
        status: Status,
    }
    let world = World::new();
    let created = world.create(pod("web"));
    let row: Row = world.store.get_as(&web()).unwrap();
    assert_eq!(row.status.phase, "Pending");
    let text = world
        .store
        .list_as::<Box<serde_json::value::RawValue>>(PODS, Namespaces::All, &labels("app=web"))
        .unwrap();
    assert_eq!(serde_json::from_str::<Value>(text.items[0].get()).unwrap(), created);
    // A wish for something else is no damage of the store.
    let error = world.store.get_as::<Vec<u8>>(&web()).unwrap_err();
    assert!(matches!(error, crate::store::StoreError::OtherType(_)), "{error:?}");
}

#[test]
fn what_nobody_could_read_again_is_not_kept() {
    let world = World::new();
    world.create(pod("web"));
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let written = world.store.modify(&web(), BY_NODE, |mut pod| {
        pod["spec"]["x"] = deep;
        Ok(pod)
    });
    assert_eq!(
        refused(written),
        (Reason::BadRequest, "the object would be nested too deep".into())
    );
}
