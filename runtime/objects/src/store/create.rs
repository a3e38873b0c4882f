//! Making an object.

use serde_json::Value;
use uuid::Uuid;

use super::transaction::Transaction;
use super::{Origin, Persist, Store, StoreError};
use crate::resource::{Generation, Scope};
use crate::status::ApiError;
use crate::{Key, Resource, metadata, rules};

/// How an object is made.
#[derive(Clone, Debug, Default)]
pub struct Create {
    /// Who makes it.
    pub origin: Origin,
    /// Its uid, where it had one before it was written down.
    pub uid: Option<String>,
    /// Whether it is meant.
    pub persist: Persist,
}

/// Behind a `generateName`: no vowels and no look-alikes, so that no words come about.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
const RANDOM: usize = 5;
/// The longest prefix that leaves room for them in a label of DNS.
const MOST_PREFIX: usize = 63 - RANDOM;
/// So many names are tried.
const TRIES: usize = 8;

impl Store {
    /// Makes an object, and returns it as it is kept.
    ///
    /// `namespace` is where the request goes; the object may name it too. A client's object gets
    /// its defaults and must be valid, and it has no status but what its kind begins with.
    ///
    /// # Errors
    /// `AlreadyExists`, `Invalid`, `BadRequest`, or another [`StoreError`]
    pub fn create(
        &self,
        resource: Resource,
        namespace: &str,
        object: Value,
        options: &Create,
    ) -> Result<Value, StoreError> {
        let object = named(resource, namespace, object)?;
        let object = match options.origin {
            Origin::Client => rules::for_create(resource, object)?,
            Origin::Node => object,
        };
        self.write(options.persist, |transaction| {
            let key = transaction.free_key(resource, namespace, &object)?;
            let mut object = object;
            metadata::set(&mut object, "name", Some(key.name.as_str().into()));
            if options.origin == Origin::Client {
                transaction.allocate(&key, &mut object, None)?;
            }
            let uid = options.uid.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
            let time = metadata::time(transaction.now);
            metadata::set(&mut object, "uid", Some(uid.into()));
            metadata::set(&mut object, "creationTimestamp", Some(time.into()));
            for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
                metadata::set(&mut object, field, None);
            }
            let generation = (resource.generation == Generation::Counted).then(|| 1.into());
            metadata::set(&mut object, "generation", generation);
            transaction.put(&key, object, None)
        })
    }
}

impl Transaction<'_> {
    fn free_key(
        &self,
        resource: Resource,
        namespace: &str,
        object: &Value,
    ) -> Result<Key, StoreError> {
        let namespace = if resource.scope == Scope::Namespaced { namespace } else { "" };
        let name = metadata::text(object, "name");
        if !name.is_empty() {
            let key = Key::new(resource, namespace, name);
            return match self.not_expired(&key)? {
                None => Ok(key),
                Some(_) => Err(ApiError::already_exists(resource, name).into()),
            };
        }
        let prefix = metadata::text(object, "generateName");
        let mut name = String::new();
        for _ in 0..TRIES {
            name = generated(prefix, Uuid::new_v4().as_u128());
            let key = Key::new(resource, namespace, &name);
            if self.current(&key)?.is_none() {
                return Ok(key);
            }
        }
        Err(ApiError::generate_name_conflict(resource, &name).into())
    }
}

/// The prefix, and characters by chance behind it.
fn generated(prefix: &str, mut chance: u128) -> String {
    let mut name: String = prefix.chars().take(MOST_PREFIX).collect();
    let length = ALPHABET.len() as u128;
    for _ in 0..RANDOM {
        let index = usize::try_from(chance % length).expect("below the alphabet's length");
        name.push(char::from(ALPHABET[index]));
        chance /= length;
    }
    name
}

/// The object with its kind and namespace, which the request has told.
fn named(resource: Resource, namespace: &str, mut object: Value) -> Result<Value, ApiError> {
    rules::check_kind(resource, &mut object)?;
    if !metadata::text(&object, "resourceVersion").is_empty() {
        let message = "resourceVersion should not be set on objects to be created";
        return Err(ApiError::bad_request(message));
    }
    rules::check_namespace(resource, namespace, &mut object)?;
    let unnamed =
        ["name", "generateName"].into_iter().all(|field| metadata::text(&object, field).is_empty());
    if unnamed {
        let error = rules::required(&["metadata", "name"], "name or generateName is required");
        return Err(ApiError::invalid(resource, "", &[error]));
    }
    Ok(object)
}

/// The name that a request and an object agree on.
pub(super) fn check_name(name: &str, object: &mut Value) -> Result<(), ApiError> {
    match metadata::text(object, "name") {
        "" => {
            metadata::set(object, "name", Some(name.into()));
            Ok(())
        }
        same if same == name => Ok(()),
        other => Err(ApiError::bad_request(format!(
            "the name of the object ({other}) does not match the name on the URL ({name})"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_fits_into_a_label() {
        let name = generated(&"é".repeat(70), u128::MAX);
        assert_eq!(name.chars().count(), 63);
        assert_ne!(generated("a-", 1), generated("a-", 2));
        assert_eq!(generated("a-", 7).len(), 7);
    }
}
