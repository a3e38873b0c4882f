//! `wasmpod label` and `wasmpod annotate`: names for objects, and notes on them.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use wasmpod_objects::status::{ApiError, Reason};
use wasmpod_objects::store::Update;
use wasmpod_view::resource_args::NoName;

use super::chosen::{self, Missing};
use super::create::say;
use super::desired::title;
use super::machine;
use crate::args::Mark;
use crate::failure::Failure;
use crate::print::out;

/// Which map of `metadata` is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    Labels,
    Annotations,
}

/// What is to become of one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Set(String, String),
    Remove(String),
}

impl Marks {
    fn field(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Annotations => "annotations",
        }
    }

    /// What was done, in kubectl's words.
    fn done(self, changes: &[Change], has_changed: bool) -> &'static str {
        let removes_only = changes.iter().all(|change| matches!(change, Change::Remove(_)));
        match (self, has_changed) {
            (Self::Annotations, _) => "annotated",
            (Self::Labels, false) => "not labeled",
            (Self::Labels, true) if removes_only => "unlabeled",
            (Self::Labels, true) => "labeled",
        }
    }
}

/// # Errors
/// What is named and not there; a mark that is there and would be overwritten.
pub(crate) fn mark(verb: &Mark, marks: Marks, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let (targets, changes) = split(&verb.selection.targets, marks)?;
    let mut selection = verb.selection.clone();
    selection.targets = targets;
    let wanted = chosen::wanted(&selection, NoName::Error, verb.all)?;
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, Missing::Error)?;
    let objects = std::mem::take(&mut found.objects);
    if verb.list {
        for one in &objects {
            list(&one.object["metadata"][marks.field()]);
        }
        found.settle()?;
        return Ok(ExitCode::SUCCESS);
    }
    if changes.is_empty() {
        let what = marks.field().trim_end_matches('s');
        return Err(Failure::kubectl(format!("at least one {what} update is required")));
    }
    let persist = verb.told.dry_run.persist();
    let mut failures = Vec::new();
    for one in &objects {
        let before = one.object["metadata"]["resourceVersion"].clone();
        let update = Update { persist, ..Update::default() };
        let changed = pods
            .store()
            .modify(&one.key, update, |object| apply(object, marks, &changes, verb.overwrite));
        match changed {
            Ok(object) => {
                let has_changed = object["metadata"]["resourceVersion"] != before;
                let title = title(one.key.resource, &one.key.name);
                say(&verb.told, &title, marks.done(&changes, has_changed), &object);
            }
            // The rule is kubectl's own: no server has refused it.
            Err(error) => failures.push(match error.reason() {
                Some(Reason::BadRequest) => Failure::kubectl(error.to_string()),
                _ => error.into(),
            }),
        }
    }
    machine::tell(&pods)?;
    failures.extend(std::mem::take(&mut found.missing));
    Failure::last_of(failures)
}

/// Objects come first, then marks: `a=b`, `a-`.
fn split(words: &[String], marks: Marks) -> Result<(Vec<String>, Vec<Change>), Failure> {
    let is_change = |word: &String| {
        word.contains('=') || (word.ends_with('-') && word.len() > 1 && !word.starts_with('-'))
    };
    let first = words.iter().position(is_change).unwrap_or(words.len());
    let (targets, rest) = words.split_at(first);
    let mut changes = Vec::new();
    for word in rest {
        changes.push(match (word.split_once('='), word.strip_suffix('-')) {
            (Some((name, value)), _) if !name.is_empty() => {
                Change::Set(name.to_owned(), value.to_owned())
            }
            (None, Some(name)) => Change::Remove(name.to_owned()),
            (Some(_), _) | (None, None) => {
                let what = marks.field().trim_end_matches('s');
                return Err(Failure::kubectl(format!("invalid {what} spec: {word}")));
            }
        });
    }
    Ok((targets.to_vec(), changes))
}

fn apply(
    mut object: Value,
    marks: Marks,
    changes: &[Change],
    overwrite: bool,
) -> Result<Value, ApiError> {
    let field = marks.field();
    for change in changes {
        let own = &mut object["metadata"][field];
        if own.is_null() {
            *own = serde_json::json!({});
        }
        let Some(own) = own.as_object_mut() else { continue };
        match change {
            Change::Set(name, value) => {
                let there = own.get(name).and_then(Value::as_str);
                if let Some(there) = there.filter(|there| there != value && !overwrite) {
                    return Err(ApiError::bad_request(format!(
                        "'{name}' already has a value ({there}), and --overwrite is false"
                    )));
                }
                own.insert(name.clone(), value.as_str().into());
            }
            Change::Remove(name) => {
                own.remove(name);
            }
        }
    }
    if object["metadata"][field].as_object().is_some_and(serde_json::Map::is_empty)
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.remove(field);
    }
    Ok(object)
}

fn list(marks: &Value) {
    for (name, value) in marks.as_object().into_iter().flatten() {
        out::line(&format!("{name}={}", value.as_str().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_before_marks() {
        let words = ["pod", "web", "a=b", "c-"].map(str::to_owned);
        let (targets, changes) = split(&words, Marks::Labels).unwrap();
        assert_eq!(targets, ["pod", "web"]);
        let expected = [Change::Set("a".into(), "b".into()), Change::Remove("c".into())];
        assert_eq!(changes, expected);
        assert!(split(&["pod/web", "=b"].map(str::to_owned), Marks::Labels).is_err());
        assert!(split(&["pod/web", "a=b", "c"].map(str::to_owned), Marks::Labels).is_err());
    }

    #[test]
    fn what_is_there_stays_unless_told_otherwise() {
        let object = serde_json::json!({ "metadata": { "labels": { "a": "b" } } });
        let set = |value: &str, overwrite| {
            let changes = [Change::Set("a".into(), value.into())];
            apply(object.clone(), Marks::Labels, &changes, overwrite)
        };
        assert_eq!(set("b", false).unwrap(), object);
        assert_eq!(
            set("c", false).unwrap_err().message,
            "'a' already has a value (b), and --overwrite is false"
        );
        assert_eq!(set("c", true).unwrap()["metadata"]["labels"]["a"], "c");
        let gone = apply(object.clone(), Marks::Labels, &[Change::Remove("a".into())], false);
        assert_eq!(gone.unwrap(), serde_json::json!({ "metadata": {} }));
    }
}
