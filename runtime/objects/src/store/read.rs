//! Reading: one object, or all that a selection means.

use rusqlite::params;
use serde_json::Value;

use super::transaction::{Transaction, json};
use super::{Revision, Store, StoreError};
use crate::selector::Selection;
use crate::status::ApiError;
use crate::{Key, Resource};

/// In which namespaces to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces<'name> {
    /// Everywhere; the only answer for a kind without namespaces.
    All,
    /// In this one.
    One(&'name str),
}

/// Objects of a kind, all as they were at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// `metadata.resourceVersion` of the list: from here on a watch misses nothing.
    pub revision: Revision,
    /// In the order of namespace and name.
    pub items: Vec<Value>,
}

impl Store {
    /// The object of this key.
    ///
    /// # Errors
    /// `NotFound`, or another [`StoreError`]
    pub fn get(&self, key: &Key) -> Result<Value, StoreError> {
        self.read(|transaction| transaction.existing(key))
    }

    /// All objects that are meant.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn list(
        &self,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<List, StoreError> {
        self.read(|transaction| transaction.list(resource, namespaces, selection))
    }

    /// The newest revision.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn revision(&self) -> Result<Revision, StoreError> {
        self.read(|transaction| Ok(transaction.counter()?.0))
    }
}

impl Transaction<'_> {
    fn existing(&self, key: &Key) -> Result<Value, StoreError> {
        let one = Wanted { namespace: Some(&key.namespace), name: Some(&key.name) };
        let found = self.objects(key.resource, &one, |_| true)?.pop();
        Ok(found.ok_or_else(|| ApiError::not_found(key.resource, &key.name))?)
    }

    fn list(
        &self,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<List, StoreError> {
        let (revision, _) = self.counter()?;
        let namespace = match namespaces {
            Namespaces::One(namespace) => Some(namespace),
            Namespaces::All => selection.fields.exact("metadata.namespace"),
        };
        let wanted = Wanted { namespace, name: selection.fields.exact("metadata.name") };
        let items = self.objects(resource, &wanted, |object| selection.matches(object))?;
        Ok(List { revision, items })
    }

    fn objects(
        &self,
        resource: Resource,
        wanted: &Wanted<'_>,
        matches: impl Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, StoreError> {
        let sql = "SELECT revision.value, revision.at FROM object JOIN revision \
                   ON revision.revision = object.revision WHERE object.resource = ?1";
        // By place in the key: an index is of use only for what stands in front of it.
        let sql = match (wanted.namespace, wanted.name) {
            (None, None) => format!("{sql} AND ?2 IS NULL AND ?3 IS NULL"),
            (Some(_), None) => format!("{sql} AND object.namespace = ?2 AND ?3 IS NULL"),
            (None, Some(_)) => format!("{sql} AND ?2 IS NULL AND object.name = ?3"),
            (Some(_), Some(_)) => format!("{sql} AND object.namespace = ?2 AND object.name = ?3"),
        };
        let sql = format!("{sql} ORDER BY object.namespace, object.name");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let named = params![resource.qualified(), wanted.namespace, wanted.name];
        let mut rows = statement.query(named)?;
        // Whoever writes takes old Events away. Where nobody does, they are there, but not seen.
        let oldest = self.oldest(resource);
        let mut objects = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? < oldest {
                continue;
            }
            let object = json(row, 0)?;
            if matches(&object) {
                objects.push(object);
            }
        }
        Ok(objects)
    }
}

struct Wanted<'name> {
    namespace: Option<&'name str>,
    name: Option<&'name str>,
}
