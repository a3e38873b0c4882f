//! Reading: one object, or all that a selection means.

use rusqlite::params;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::transaction::{Transaction, decoded, picked};
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
pub struct List<Object = Value> {
    /// `metadata.resourceVersion` of the list: from here on a watch misses nothing.
    pub revision: Revision,
    /// In the order of namespace and name.
    pub items: Vec<Object>,
}

impl Store {
    /// The object of this key.
    ///
    /// # Errors
    /// `NotFound`, or another [`StoreError`]
    pub fn get(&self, key: &Key) -> Result<Value, StoreError> {
        self.get_as(key)
    }

    /// The same as a type of one's own.
    ///
    /// # Errors
    /// As for [`Store::get`]; [`StoreError::OtherType`] if the object is none of this type.
    pub fn get_as<Object: DeserializeOwned>(&self, key: &Key) -> Result<Object, StoreError> {
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
        self.list_as(resource, namespaces, selection)
    }

    /// The same as a type of one's own.
    ///
    /// A [`Value`] costs far more than all else about a list: whoever only sends the objects on
    /// asks for [`Box<RawValue>`](serde_json::value::RawValue), whoever needs some of their fields
    /// for a type with these.
    ///
    /// # Errors
    /// [`StoreError::OtherType`] if an object is none of this type, or another [`StoreError`].
    pub fn list_as<Object: DeserializeOwned>(
        &self,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<List<Object>, StoreError> {
        self.read(|transaction| transaction.list(resource, namespaces, selection))
    }

    /// The names of all objects of a kind, in their order. None of them is read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn names(
        &self,
        resource: Resource,
        namespaces: Namespaces<'_>,
    ) -> Result<Vec<String>, StoreError> {
        let namespace = match namespaces {
            Namespaces::All => None,
            Namespaces::One(namespace) => Some(namespace),
        };
        self.read(|transaction| {
            let sql = "SELECT DISTINCT name FROM object WHERE resource = ?1 \
                       AND (?2 IS NULL OR namespace = ?2) ORDER BY name";
            let mut statement = transaction.connection().prepare_cached(sql)?;
            let names =
                statement.query_map(params![resource.qualified(), namespace], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// The namespaces that objects are in, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn namespaces(&self) -> Result<Vec<String>, StoreError> {
        self.read(|transaction| {
            let sql =
                "SELECT DISTINCT namespace FROM object WHERE namespace != '' ORDER BY namespace";
            let mut statement = transaction.connection().prepare_cached(sql)?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// Whether there is an object of this kind: nothing of it is read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn has_any(&self, resource: Resource) -> Result<bool, StoreError> {
        self.read(|transaction| transaction.has_any(resource))
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
    fn existing<Object: DeserializeOwned>(&self, key: &Key) -> Result<Object, StoreError> {
        let one = Wanted { namespace: Some(&key.namespace), name: Some(&key.name) };
        let found = self.objects(key.resource, &one, &Selection::default())?.pop();
        Ok(found.ok_or_else(|| ApiError::not_found(key.resource, &key.name))?)
    }

    fn has_any(&self, resource: Resource) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM object WHERE resource = ?1)";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row([resource.qualified()], |row| row.get(0))?)
    }

    /// All objects of a kind.
    pub(super) fn all<Object: DeserializeOwned>(
        &self,
        resource: Resource,
    ) -> Result<Vec<Object>, StoreError> {
        let all = Selection::default();
        self.objects(resource, &Wanted { namespace: None, name: None }, &all)
    }

    fn list<Object: DeserializeOwned>(
        &self,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<List<Object>, StoreError> {
        let (revision, _) = self.counter()?;
        let namespace = match namespaces {
            Namespaces::One(namespace) => Some(namespace),
            Namespaces::All => selection.fields.exact("metadata.namespace"),
        };
        let wanted = Wanted { namespace, name: selection.fields.exact("metadata.name") };
        let items = self.objects(resource, &wanted, selection)?;
        Ok(List { revision, items })
    }

    fn objects<Object: DeserializeOwned>(
        &self,
        resource: Resource,
        wanted: &Wanted<'_>,
        selection: &Selection,
    ) -> Result<Vec<Object>, StoreError> {
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
        let paths = selection.paths();
        let mut objects = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? < oldest {
                continue;
            }
            if selection.is_empty() || selection.matches(&picked(row, 0, &paths)?) {
                objects.push(decoded(row, 0)?);
            }
        }
        Ok(objects)
    }
}

struct Wanted<'name> {
    namespace: Option<&'name str>,
    name: Option<&'name str>,
}
