//! Taking an object away, or beginning to.
//!
//! ```text
//! exists ──▶ marked(grace) ──▶ marked(0), held by finalizers ──▶ gone
//!    │            └─ grace 0, or the Pod has ended ──▶ ┘           ▲
//!    └─ no grace and no finalizers ────────────────────────────────┘
//! ```
//! Rule: `BeforeDelete` of the API server and `CheckGracefulDelete` of its Pods. One thing is
//! other: there a Pod without a node goes at once; here every Pod is on this machine.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::transaction::{Current, Transaction};
use super::{Persist, Store, StoreError};
use crate::resource::Deletion;
use crate::status::ApiError;
use crate::{Key, metadata};

/// How an object is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    /// `gracePeriodSeconds`: how long a Pod has to end; its own wish if absent. Below 0 it is 1.
    pub grace_period_seconds: Option<i64>,
    /// What must be the case.
    pub preconditions: Preconditions,
    /// Whether it is meant.
    pub persist: Persist,
}

/// What must be the case before something is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// It is this object, and no later one of the same name.
    pub uid: Option<String>,
    /// It is in this state.
    pub resource_version: Option<String>,
}

/// What a deletion has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum Deleted {
    /// The object is on its way out, as it was before or as of now.
    Marked(Value),
    /// It is gone; this was its last state.
    Removed(Value),
}

impl Deleted {
    /// The object in either case.
    pub fn object(&self) -> &Value {
        match self {
            Self::Marked(object) | Self::Removed(object) => object,
        }
    }
}

impl Store {
    /// Deletes an object, or marks it for whoever has to end it first.
    ///
    /// A Pod that has not ended is marked with the time of its end; a second deletion can only
    /// bring that time forward, and one with a grace of 0 takes the Pod away. Finalizers hold
    /// whatever has some.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` if a precondition does not hold, or another [`StoreError`]
    pub fn delete(&self, key: &Key, options: &Delete) -> Result<Deleted, StoreError> {
        self.write(options.persist, |transaction| {
            let current = transaction.found(key)?;
            check(key, &current.object, &options.preconditions)?;
            transaction.delete(key, current, options.grace_period_seconds)
        })
    }

    /// Takes an object away at once, whatever holds it: for the one who has ended it, or to whom
    /// alone it belongs.
    ///
    /// # Errors
    /// As for [`Store::delete`]
    pub fn remove(&self, key: &Key, preconditions: &Preconditions) -> Result<Value, StoreError> {
        self.write(Persist::Yes, |transaction| {
            let current = transaction.found(key)?;
            check(key, &current.object, preconditions)?;
            transaction.remove(key, current)
        })
    }
}

fn check(key: &Key, object: &Value, preconditions: &Preconditions) -> Result<(), ApiError> {
    let (uid, revision) =
        (metadata::text(object, "uid"), metadata::text(object, "resourceVersion"));
    if let Some(wanted) = preconditions.uid.as_deref().filter(|wanted| *wanted != uid) {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The \
             object might have been deleted and then recreated"
        );
        return Err(ApiError::precondition(key.resource, &key.name, why));
    }
    let wanted = preconditions.resource_version.as_deref();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != revision) {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the \
             ResourceVersion in record ({revision}). The object might have been modified"
        );
        return Err(ApiError::precondition(key.resource, &key.name, why));
    }
    Ok(())
}

impl Transaction<'_> {
    fn delete(
        &self,
        key: &Key,
        current: Current,
        asked: Option<i64>,
    ) -> Result<Deleted, StoreError> {
        let step = match key.resource.deletion {
            Deletion::Graceful => graceful(&current.object, asked, self.now),
            Deletion::Immediate => Step::End,
        };
        let (object, is_over) = match step {
            Step::Pending => return Ok(Deleted::Marked(current.object)),
            Step::Mark { from, grace_seconds } => {
                let mut object = current.object.clone();
                if !metadata::is_deleting(&object) {
                    metadata::next_generation(&mut object);
                }
                metadata::mark_deleted(&mut object, from, grace_seconds);
                (object, grace_seconds == 0)
            }
            Step::End => (ended(current.object.clone(), self.now), true),
        };
        if is_over && !metadata::has_finalizers(&object) {
            let current = Current { object, ..current };
            return Ok(Deleted::Removed(self.remove(key, current)?));
        }
        if metadata::same_content(&object, &current.object) {
            return Ok(Deleted::Marked(current.object));
        }
        Ok(Deleted::Marked(self.put(key, object, Some(current.revision))?))
    }
}

/// Marked as over, for those who hold it.
fn ended(mut object: Value, now: Timestamp) -> Value {
    if !metadata::is_deleting(&object) {
        metadata::next_generation(&mut object);
        metadata::mark_deleted(&mut object, now, 0);
    }
    metadata::set(&mut object, "deletionGracePeriodSeconds", Some(0.into()));
    object
}

enum Step {
    /// It goes on as it was.
    Pending,
    /// It has so long from then on.
    Mark { from: Timestamp, grace_seconds: i64 },
    /// It is over.
    End,
}

fn graceful(pod: &Value, asked: Option<i64>, now: Timestamp) -> Step {
    let asked = asked.map(|seconds| if seconds < 0 { 1 } else { seconds });
    if metadata::is_deleting(pod) {
        let given = metadata::number(pod, "deletionGracePeriodSeconds").unwrap_or(0);
        if given == 0 {
            return Step::End;
        }
        return match asked {
            Some(seconds) if seconds < given => {
                Step::Mark { from: began(pod, given).unwrap_or(now), grace_seconds: seconds }
            }
            _ => Step::Pending,
        };
    }
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    let seconds = match phase {
        Some("Failed" | "Succeeded") => 0,
        _ => asked.unwrap_or_else(|| own_grace(pod)),
    };
    Step::Mark { from: now, grace_seconds: seconds }
}

/// What the Pod itself asks for.
fn own_grace(pod: &Value) -> i64 {
    match pod.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64) {
        Some(seconds) if seconds < 0 => 1,
        Some(seconds) => seconds,
        None => 30,
    }
}

/// When the deletion was asked for.
fn began(pod: &Value, given: i64) -> Option<Timestamp> {
    let end: Timestamp = metadata::text(pod, "deletionTimestamp").parse().ok()?;
    end.checked_sub(SignedDuration::from_secs(given)).ok()
}
