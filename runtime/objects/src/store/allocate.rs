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
