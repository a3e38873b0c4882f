//! Events: the same thing told twice is counted, not kept twice.
//!
//! Rule: `EventCorrelator` of client-go in its simple form. Two Events are the same if all but
//! their times, their count and the revision of what they are about is.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EventSource, ObjectReference};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::transaction::Transaction;
use super::{Persist, Store, StoreError};
use crate::resource::EVENTS;
use crate::{Key, metadata};

/// What an Event is about.
pub type Involved = ObjectReference;

/// Something worth telling, which has happened just now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEvent {
    /// What it is about; its namespace is that of the Event.
    pub involved: Involved,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// One word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// Who tells it.
    pub source: EventSource,
}

/// What two Events have in common if they are the same.
#[derive(Serialize)]
struct Same<'event> {
    namespace: &'event str,
    involved: BTreeMap<&'event str, &'event Value>,
    event_type: Option<&'event Value>,
    reason: Option<&'event Value>,
    message: Option<&'event Value>,
    source: Option<&'event Value>,
}

/// The name of what an Event tells; none for other objects.
pub(super) fn correlation(key: &Key, object: &Value) -> Option<String> {
    if key.resource != EVENTS {
        return None;
    }
    // Not the state it was in.
    let involved = object.get("involvedObject").and_then(Value::as_object).into_iter().flatten();
    let involved = involved.filter(|(field, _)| *field != "resourceVersion");
    let same = Same {
        namespace: &key.namespace,
        involved: involved.map(|(field, value)| (field.as_str(), value)).collect(),
        event_type: object.get("type"),
        reason: object.get("reason"),
        message: object.get("message"),
        source: object.get("source"),
    };
    let text = serde_json::to_string(&same).expect("plain values with text for keys");
    let digest = Sha256::digest(text);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Store {
    /// Tells of an event: it is counted if it was told within its lifetime, or made.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn record(&self, event: &NewEvent) -> Result<Value, StoreError> {
        self.write(Persist::Yes, |transaction| transaction.record(event))
    }
}

impl Transaction<'_> {
    fn record(&self, event: &NewEvent) -> Result<Value, StoreError> {
        let namespace = event.involved.namespace.as_deref().unwrap_or("default");
        let name = event.involved.name.as_deref().unwrap_or_default();
        let name = format!("{name}.{:x}", self.now.as_nanosecond());
        let key = Key::new(EVENTS, namespace, &name);
        let time = metadata::time(self.now);
        let object = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "namespace": namespace },
            "involvedObject": event.involved,
            "type": event.event_type,
            "reason": event.reason,
            "message": event.message,
            "source": event.source,
            "reportingComponent": event.source.component.as_deref().unwrap_or_default(),
            "reportingInstance": event.source.host.as_deref().unwrap_or_default(),
            "eventTime": null,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        });
        match self.told_before(&key, &object)? {
            Some(known) => self.count(&known),
            None => self.tell(key, object),
        }
    }

    fn told_before(&self, key: &Key, object: &Value) -> Result<Option<Key>, StoreError> {
        let sql = "SELECT object.name FROM object JOIN revision \
                   ON revision.revision = object.revision \
                   WHERE object.correlation = ?1 AND revision.at >= ?2 \
                   ORDER BY object.revision DESC LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let named = rusqlite::params![correlation(key, object), self.oldest(EVENTS)];
        let mut rows = statement.query(named)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let name: String = row.get(0)?;
        Ok(Some(Key::new(EVENTS, &key.namespace, &name)))
    }

    fn count(&self, key: &Key) -> Result<Value, StoreError> {
        let current = self.found(key)?;
        let mut event = current.object;
        let count = event.get("count").and_then(Value::as_i64).unwrap_or(1);
        if let Some(fields) = event.as_object_mut() {
            fields.insert("count".to_owned(), count.saturating_add(1).into());
            fields.insert("lastTimestamp".to_owned(), metadata::time(self.now).into());
        }
        self.put(key, event, Some(current.revision))
    }

    fn tell(&self, mut key: Key, mut event: Value) -> Result<Value, StoreError> {
        // Two in one moment: the clock is not as fine as a name has to be.
        let mut moment = self.now.as_nanosecond();
        while self.current(&key)?.is_some() {
            moment = moment.saturating_add(1);
            let stem = key.name.rsplit_once('.').map_or("", |(stem, _)| stem);
            key.name = format!("{stem}.{moment:x}");
        }
        metadata::set(&mut event, "name", Some(key.name.as_str().into()));
        metadata::set(&mut event, "uid", Some(uuid::Uuid::new_v4().to_string().into()));
        metadata::set(&mut event, "creationTimestamp", Some(metadata::time(self.now).into()));
        self.put(&key, event, None)
    }
}
