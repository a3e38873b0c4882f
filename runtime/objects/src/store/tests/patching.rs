use serde_json::{Value, json};

use super::world::*;
use crate::patch::PatchKind;
use crate::patch::apply::Applied;
use crate::resource::PODS;
use crate::status::Reason;
use crate::store::{Part, PatchRequest, Persist, StoreError, Update};

fn patch(world: &World, kind: PatchKind, patch: Value) -> Result<Value, StoreError> {
    let request = PatchRequest { kind, patch: &patch, part: Part::Object };
    world.store.patch(&web(), request, Update::default())
}

#[test]
fn an_object_is_patched_by_the_rules_of_an_update() {
    let world = World::new();
    world.create(pod("web"));
    let image = json!({ "spec": { "containers": [{ "name": "main", "image": "app:2" }] } });
    let patched = patch(&world, PatchKind::Strategic, image).unwrap();
    assert_eq!(patched["spec"]["containers"][0]["image"], "app:2");
    assert_eq!(patched["metadata"]["generation"], 2);
    let labels = json!({ "metadata": { "labels": { "x": "y", "app": null } } });
    let patched = patch(&world, PatchKind::Merge, labels).unwrap();
    assert_eq!(patched["metadata"]["labels"], json!({ "x": "y" }));
    let added = json!([{ "op": "add", "path": "/metadata/labels/q", "value": "1" }]);
    assert_eq!(patch(&world, PatchKind::Json, added).unwrap()["metadata"]["labels"]["q"], "1");

    let status = json!({ "status": { "phase": "Running" } });
    let same = patch(&world, PatchKind::Merge, status.clone()).unwrap();
    assert_eq!(same["status"]["phase"], "Pending");
    let request = PatchRequest { kind: PatchKind::Merge, patch: &status, part: Part::Status };
    let patched = world.store.patch(&web(), request, BY_NODE).unwrap();
    assert_eq!(patched["status"]["phase"], "Running");
}

#[test]
fn a_patch_that_is_not_allowed_is_refused() {
    let world = World::new();
    world.create(pod("web"));
    let refusal = |kind, document| refused(patch(&world, kind, document));
    let add = json!({ "spec": { "containers": [{ "name": "b", "image": "b" }] } });
    assert_eq!(
        refusal(PatchKind::Strategic, add),
        (
            Reason::Invalid,
            "Pod \"web\" is invalid: spec.containers: Forbidden: pod updates may not \
            add or remove containers"
                .to_owned()
        )
    );
    let renamed = json!({ "metadata": { "name": "other" } });
    assert_eq!(refusal(PatchKind::Merge, renamed).0, Reason::BadRequest);
    let stale = json!({ "metadata": { "resourceVersion": "1" } });
    assert_eq!(refusal(PatchKind::Merge, stale).0, Reason::Conflict);
    let gone = json!([{ "op": "remove", "path": "/metadata" }]);
    assert_eq!(
        refusal(PatchKind::Json, json!([{ "op": "remove", "path": "" }])).0,
        Reason::Invalid
    );
    // What is the store's own stays.
    assert!(patch(&world, PatchKind::Json, gone).is_ok());
    assert_eq!(world.store.get(&web()).unwrap()["metadata"]["generation"], 1);
}

#[test]
fn a_manifest_is_applied() {
    let world = World::new();
    let apply =
        |manifest: &Value| world.store.apply(PODS, "default", manifest, Persist::Yes).unwrap();
    let mut manifest = pod("web");
    let (done, created) = apply(&manifest);
    assert_eq!(done, Applied::Created);
    let (done, same) = apply(&manifest);
    assert_eq!((done, &same), (Applied::Unchanged, &created));
    manifest["spec"]["containers"][0]["image"] = json!("app:2");
    manifest["metadata"]["labels"] = json!({ "b": "c" });
    let (done, changed) = apply(&manifest);
    assert_eq!(done, Applied::Configured);
    assert_eq!(changed["metadata"]["labels"], json!({ "b": "c" }));
    assert_eq!(changed["metadata"]["uid"], created["metadata"]["uid"]);
    assert_eq!(apply(&manifest).0, Applied::Unchanged);
}
