//! Changing an object.

use serde_json::Value;

use super::create::check_name;
use super::transaction::{Current, Transaction};
use super::{Origin, Persist, Store, StoreError};
use crate::resource::{Generation, StatusSubresource};
use crate::status::ApiError;
use crate::{Key, metadata, rules};

/// How an object is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Who changes it.
    pub origin: Origin,
    /// Whether it is meant.
    pub persist: Persist,
}

/// What an object, a client or the machine cannot set: it stays as it is.
const KEPT: [&str; 7] = [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];

/// What a write is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All but a status that has a write of its own.
    #[default]
    Object,
    /// `status` alone.
    Status,
    /// All of it.
    Whole,
}

impl Store {
    /// Puts `object` in the place of the one that is there, and returns it as it is kept.
    ///
    /// A `metadata.resourceVersion` or `metadata.uid` in it must be that of the one it replaces.
    /// The status of a kind that has a write of its own for it stays as it is. An object that was
    /// on its way out goes when its last finalizer does. Nothing is written if nothing changes.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Invalid`, `BadRequest`, or another [`StoreError`]
    pub fn update(
        &self,
        key: &Key,
        mut object: Value,
        options: Update,
    ) -> Result<Value, StoreError> {
        check_request(key, &mut object)?;
        self.write(options.persist, |transaction| {
            transaction.replace(key, object, Part::Object, options.origin)
        })
    }

    /// Replaces the status alone.
    ///
    /// # Errors
    /// As for [`Store::update`]
    pub fn update_status(
        &self,
        key: &Key,
        mut object: Value,
        options: Update,
    ) -> Result<Value, StoreError> {
        check_request(key, &mut object)?;
        self.write(options.persist, |transaction| {
            transaction.replace(key, object, Part::Status, options.origin)
        })
    }

    /// Changes an object by what it is now, status included. Nothing can come in between: other
    /// writes wait until `change` has returned.
    ///
    /// What only the store sets stays as it is. `change` must not use this store, or a clone of it:
    /// it would wait for itself. An error of `change` leaves all as it was.
    ///
    /// # Errors
    /// `NotFound`, the error of `change`, or another [`StoreError`]
    pub fn modify(
        &self,
        key: &Key,
        options: Update,
        change: impl FnOnce(Value) -> Result<Value, ApiError>,
    ) -> Result<Value, StoreError> {
        self.write(options.persist, |transaction| {
            let current = transaction.found(key)?;
            let mut object = change(current.object)?;
            check_request(key, &mut object)?;
            transaction.replace(key, object, Part::Whole, options.origin)
        })
    }
}

pub(super) fn check_request(key: &Key, object: &mut Value) -> Result<(), ApiError> {
    rules::check_kind(key.resource, object)?;
    rules::check_namespace(key.resource, &key.namespace, object)?;
    check_name(&key.name, object)
}

impl Transaction<'_> {
    /// The object as it is now, or `NotFound`.
    pub(super) fn found(&self, key: &Key) -> Result<Current, StoreError> {
        let found = self.current(key)?;
        Ok(found.ok_or_else(|| ApiError::not_found(key.resource, &key.name))?)
    }

    pub(super) fn replace(
        &self,
        key: &Key,
        object: Value,
        part: Part,
        origin: Origin,
    ) -> Result<Value, StoreError> {
        let current = self.found(key)?;
        check_basis(key, &object, &current)?;
        self.store(key, object, current, part, origin)
    }

    fn store(
        &self,
        key: &Key,
        object: Value,
        current: Current,
        part: Part,
        origin: Origin,
    ) -> Result<Value, StoreError> {
        let mut object = merged(key, object, &current.object, part);
        for field in KEPT {
            metadata::keep(&mut object, &current.object, field);
        }
        if origin == Origin::Client {
            object = rules::for_update(key.resource, object, &current.object)?;
            self.allocate(key, &mut object, Some(&current.object))?;
        }
        if metadata::same_content(&object, &current.object) {
            return Ok(current.object);
        }
        if key.resource.generation == Generation::Counted
            && object.get("spec") != current.object.get("spec")
        {
            metadata::next_generation(&mut object);
        }
        // Held back by its finalizers alone, and they are done.
        let time_is_up = metadata::number(&object, "deletionGracePeriodSeconds").unwrap_or(0) == 0;
        if metadata::is_deleting(&object) && time_is_up && !metadata::has_finalizers(&object) {
            let current = Current { object, ..current };
            return self.remove(key, current);
        }
        self.put(key, object, Some(current.revision))
    }
}

/// The new state, with what the write is not about taken from the old one.
fn merged(key: &Key, mut object: Value, stored: &Value, part: Part) -> Value {
    match part {
        Part::Whole => object,
        Part::Object if key.resource.status == StatusSubresource::None => object,
        Part::Object => {
            copy_field(&mut object, stored, "status");
            object
        }
        Part::Status => {
            let mut merged = stored.clone();
            copy_field(&mut merged, &object, "status");
            merged
        }
    }
}

fn copy_field(object: &mut Value, from: &Value, field: &str) {
    let Some(fields) = object.as_object_mut() else { return };
    match from.get(field) {
        Some(value) => {
            fields.insert(field.to_owned(), value.clone());
        }
        None => {
            fields.remove(field);
        }
    }
}

/// Whether the write is based on the object as it is now.
fn check_basis(key: &Key, object: &Value, current: &Current) -> Result<(), ApiError> {
    let uid = metadata::text(object, "uid");
    let stored = metadata::text(&current.object, "uid");
    if !uid.is_empty() && uid != stored {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{key}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object \
             meta: {stored}"
        );
        return Err(ApiError::conflict(key.resource, &key.name, why));
    }
    let revision = metadata::text(object, "resourceVersion");
    if !revision.is_empty() && revision != metadata::text(&current.object, "resourceVersion") {
        return Err(ApiError::modified(key.resource, &key.name));
    }
    Ok(())
}
