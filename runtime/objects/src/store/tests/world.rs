//! A store of one's own, on a clock that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Key;
use crate::resource::PODS;
use crate::selector::{FieldSelector, Selection};
use crate::status::Reason;
use crate::store::{Create, Origin, Store, StoreError, Update};

pub(super) struct World {
    pub(super) store: Store,
    pub(super) folder: TempDir,
    millis: Arc<AtomicI64>,
}

pub(super) const BY_NODE: Update =
    Update { origin: Origin::Node, persist: super::super::Persist::Yes };

impl World {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let start: Timestamp = "2026-11-30T20:00:00Z".parse().unwrap();
        let millis = Arc::new(AtomicI64::new(start.as_millisecond()));
        let store = open(&folder, &millis);
        Self { store, folder, millis }
    }

    /// The same file as another process sees it.
    pub(super) fn other(&self) -> Store {
        open(&self.folder, &self.millis)
    }

    pub(super) fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    pub(super) fn create(&self, object: Value) -> Value {
        self.store.create(PODS, "default", object, &Create::default()).unwrap()
    }

    /// Changes one value of the Pod `web`.
    pub(super) fn set(&self, pointer: &str, value: Value) -> Value {
        self.store
            .modify(&web(), BY_NODE, |mut pod| {
                *pod.pointer_mut(pointer).unwrap() = value;
                Ok(pod)
            })
            .unwrap()
    }
}

fn open(folder: &TempDir, millis: &Arc<AtomicI64>) -> Store {
    let millis = Arc::clone(millis);
    let clock = move || Timestamp::from_millisecond(millis.load(Ordering::Relaxed)).unwrap();
    Store::open_with_clock(&folder.path().join("root"), clock).unwrap()
}

pub(super) fn web() -> Key {
    Key::new(PODS, "default", "web")
}

pub(super) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": { "containers": [{ "name": "main", "image": "app:1" }] },
    })
}

pub(super) fn labels(text: &str) -> Selection {
    Selection { labels: text.parse().unwrap(), ..Selection::default() }
}

pub(super) fn fields(text: &str) -> Selection {
    Selection { fields: FieldSelector::parse(PODS, text).unwrap(), ..Selection::default() }
}

#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (Reason, String) {
    let error = result.unwrap_err();
    let reason = error.reason().unwrap_or_else(|| panic!("{error:?}"));
    (reason, error.to_string())
}

pub(super) fn names(objects: &[Value]) -> Vec<String> {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    objects.iter().map(name).collect()
}
