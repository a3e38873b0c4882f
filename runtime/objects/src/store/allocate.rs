//! What only one object of a machine can have: given out as the object is written.

use std::any::Any;
use std::sync::Arc;

use serde_json::Value;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::status::ApiError;
use crate::{Key, Resource, metadata};

/// Gives objects of a kind what only one of them can have, such as an address.
pub trait Allocator: Send + Sync {
    /// Of which kind.
    fn resource(&self) -> Resource;

    /// Fills in what is open in `object`, which a client is about to write; `before` is what it was, and
    /// `others` are all other objects of the kind. Nobody else writes meanwhile.
    ///
    /// What is returned is kept until others can see the object, and dropped then: something that keeps
    /// out whoever gives the same away by other means than this store.
    ///
    /// # Errors
    /// What the object asks for cannot be had; nothing is written.
    fn allocate(
        &self,
        object: &mut Value,
        before: Option<&Value>,
        others: Vec<Value>,
    ) -> Result<Box<dyn Any>, ApiError>;
}

impl Store {
    /// The same store, with somebody to ask before an object of a kind is written.
    #[must_use]
    pub fn with_allocator(self, allocator: Arc<dyn Allocator>) -> Self {
        let mut store = self;
        store.allocator = Some(allocator);
        store
    }
}

impl Transaction<'_> {
    /// Has a client's object given what is open in it, unless nothing of that has changed since
    /// `before`.
    pub(super) fn allocate(
        &self,
        key: &Key,
        object: &mut Value,
        before: Option<&Value>,
    ) -> Result<(), StoreError> {
        let wanted = self.allocator.filter(|allocator| allocator.resource() == key.resource);
        let Some(allocator) = wanted else { return Ok(()) };
        if before.is_some_and(|before| before.get("spec") == object.get("spec")) {
            return Ok(());
        }
        let mut others: Vec<Value> = self.all(key.resource)?;
        others.retain(|other| {
            let is = |field: &str, own: &str| metadata::text(other, field) == own;
            !(is("name", &key.name) && is("namespace", &key.namespace))
        });
        let until_seen = allocator.allocate(object, before, others)?;
        self.until_seen.borrow_mut().push(until_seen);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::resource::SERVICES;
    use crate::store::{Create, Update};

    /// Gives the numbers from 1 on, and writes down what becomes of them.
    struct Counter {
        told: Arc<Mutex<Vec<String>>>,
        seen_by: Store,
    }

    struct UntilSeen {
        told: Arc<Mutex<Vec<String>>>,
        seen_by: Store,
    }

    impl Drop for UntilSeen {
        fn drop(&mut self) {
            let there = self.seen_by.has_any(SERVICES).unwrap();
            self.told.lock().unwrap().push(format!("let go, there is one: {there}"));
        }
    }

    impl Allocator for Counter {
        fn resource(&self) -> Resource {
            SERVICES
        }

        fn allocate(
            &self,
            object: &mut Value,
            before: Option<&Value>,
            others: Vec<Value>,
        ) -> Result<Box<dyn Any>, ApiError> {
            let (before, others) = (before.is_some(), others.len());
            self.told.lock().unwrap().push(format!("before: {before}, others: {others}"));
            if object["spec"]["externalIPs"].is_array() {
                return Err(ApiError::bad_request("taken"));
            }
            let address = format!("10.96.0.{}", others + 1);
            object["spec"]["clusterIPs"] = json!([address]);
            object["spec"]["clusterIP"] = address.into();
            Ok(Box::new(UntilSeen { told: Arc::clone(&self.told), seen_by: self.seen_by.clone() }))
        }
    }

    #[test]
    fn what_is_given_out_is_kept_for_whoever_is_told_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path()).unwrap();
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let counter = Counter { told: Arc::clone(&told), seen_by: open() };
        let store = open().with_allocator(Arc::new(counter));
        let service =
            |name: &str, spec: Value| json!({ "metadata": { "name": name }, "spec": spec });
        let mut spec = json!({ "ports": [{ "port": 80 }] });
        let create = |name: &str, spec: Value| {
            store.create(SERVICES, "default", service(name, spec), &Create::default())
        };
        let made = create("web", spec.clone()).unwrap();
        assert_eq!(made["spec"]["clusterIP"], "10.96.0.1");
        let key = Key::new(SERVICES, "default", "web");
        let change = |pointer: &'static str, value: Value| {
            store.modify(&key, Update::default(), move |mut object| {
                *object.pointer_mut(pointer).unwrap() = value;
                Ok(object)
            })
        };
        // Nothing of it is open, so nobody is asked.
        change("/metadata", json!({ "name": "web", "labels": { "a": "b" } })).unwrap();
        change("/spec/ports/0/port", json!(81)).unwrap();
        spec["externalIPs"] = json!(["192.0.2.1"]);
        assert!(create("other", spec).is_err());
        assert_eq!(
            *told.lock().unwrap(),
            [
                "before: false, others: 0",
                "let go, there is one: true",
                "before: true, others: 0",
                "let go, there is one: true",
                "before: false, others: 1",
            ]
        );
    }
}
