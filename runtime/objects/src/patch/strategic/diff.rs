//! The patch that leads from one state of an object to another.

use serde_json::{Map, Value};

use super::super::PatchError;
use super::directive::{self, RETAIN_KEYS};
use super::lists::check_elements;
use super::schema::{Named, RetainKeys, Rule, Schema};

/// What of the difference is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Diff {
    part: Part,
    retain_keys: RetainKeys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// What is new or other.
    Changes,
    /// What is no longer there.
    Deletions,
}

impl Diff {
    pub(super) const CHANGES: Self = Self { part: Part::Changes, retain_keys: RetainKeys::No };
    pub(super) const DELETIONS: Self = Self { part: Part::Deletions, retain_keys: RetainKeys::No };

    fn changes(self) -> bool {
        self.part == Part::Changes
    }
}

pub(super) fn maps(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    schema: &Schema,
    diff: Diff,
) -> Result<Map<String, Value>, PatchError> {
    let mut patch = Map::new();
    for (key, new) in modified {
        match (original.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let schema = match schema.rule(key) {
                    Rule::Plain(schema) => schema,
                    Rule::Named(named) => named.element,
                    Rule::Set => continue,
                };
                let inner = maps(old, new, schema, Diff { retain_keys: RetainKeys::No, ..diff })?;
                if !inner.is_empty() {
                    patch.insert(key.clone(), Value::Object(inner));
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                list(key, old, new, schema.rule(key), &mut patch, diff)?;
            }
            (Some(old), new) if old == new => {}
            (_, new) => {
                if diff.changes() {
                    patch.insert(key.clone(), new.clone());
                }
            }
        }
    }
    let removed = || original.iter().filter(|(key, _)| !modified.contains_key(*key));
    if diff.part == Part::Deletions {
        patch.extend(removed().map(|(key, _)| (key.clone(), Value::Null)));
    }
    if diff.retain_keys == RetainKeys::Yes {
        // In the order of their names, as the map has them.
        let mut retained: Vec<&String> =
            modified.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
        retained.sort();
        let is_change = !patch.is_empty() || removed().any(|(_, value)| !value.is_null());
        if !retained.is_empty() && is_change {
            let retained = retained.into_iter().map(|key| key.as_str().into()).collect();
            patch.insert(RETAIN_KEYS.to_owned(), Value::Array(retained));
        }
    }
    Ok(patch)
}

fn list(
    key: &str,
    original: &[Value],
    modified: &[Value],
    rule: Rule,
    patch: &mut Map<String, Value>,
    diff: Diff,
) -> Result<(), PatchError> {
    if let Rule::Plain(_) = rule {
        if diff.changes() && original != modified {
            patch.insert(key.to_owned(), modified.to_vec().into());
        }
        return Ok(());
    }
    if original.is_empty() {
        if diff.changes() && !modified.is_empty() {
            patch.insert(key.to_owned(), modified.to_vec().into());
        }
        return Ok(());
    }
    check_elements(original, modified)?;
    match rule {
        Rule::Named(named) => {
            let changes = named_list(original, modified, named, diff)?;
            let is_other = diff.changes() && !same_names(original, modified, named.key);
            if !changes.is_empty() || is_other {
                let order = modified.iter().map(|element| name_only(element, named.key));
                patch.insert(directive::order_of(key), order.collect::<Result<_, _>>()?);
            }
            if !changes.is_empty() {
                patch.insert(key.to_owned(), Value::Array(changes));
            }
        }
        Rule::Plain(_) | Rule::Set => set(key, original, modified, patch, diff),
    }
    Ok(())
}

fn set(
    key: &str,
    original: &[Value],
    modified: &[Value],
    patch: &mut Map<String, Value>,
    diff: Diff,
) {
    let without = |list: &[Value], others: &[Value]| -> Vec<Value> {
        list.iter().filter(|element| !others.contains(element)).cloned().collect()
    };
    let mut in_order = original.to_vec();
    in_order.sort_by_cached_key(Value::to_string);
    match diff.part {
        Part::Changes => {
            let added = without(modified, original);
            if !added.is_empty() {
                patch.insert(key.to_owned(), Value::Array(added));
            }
            // Apimachinery has sorted the old list by now, and so does not know its order.
            if in_order != modified {
                patch.insert(directive::order_of(key), modified.to_vec().into());
            }
        }
        Part::Deletions => {
            let mut deleted = without(&in_order, modified);
            deleted.dedup();
            if !deleted.is_empty() {
                patch.insert(directive::order_of(key), modified.to_vec().into());
                patch.insert(directive::deletion_from(key), Value::Array(deleted));
            }
        }
    }
}

/// The changed elements in the order of `modified`, then the deletions.
fn named_list(
    original: &[Value],
    modified: &[Value],
    named: Named,
    diff: Diff,
) -> Result<Vec<Value>, PatchError> {
    let mut changes = Vec::new();
    let mut left: Vec<(&Value, &Map<String, Value>)> = original
        .iter()
        .map(|element| named_element(element, named.key))
        .collect::<Result<_, _>>()?;
    for element in modified {
        let (name, fields) = named_element(element, named.key)?;
        // Two of one name (a port of TCP and of UDP) are taken in their order.
        let known = left.iter().position(|(known, _)| *known == name);
        let Some((_, before)) = known.map(|index| left.remove(index)) else {
            if diff.changes() {
                changes.push(element.clone());
            }
            continue;
        };
        let inner = Diff { retain_keys: named.retain_keys, ..diff };
        let mut change = maps(before, fields, named.element, inner)?;
        if !change.is_empty() {
            change.insert(named.key.to_owned(), name.clone());
            changes.push(Value::Object(change));
        }
    }
    if diff.part == Part::Deletions {
        let mut deleted: Vec<&Value> = left.into_iter().map(|(name, _)| name).collect();
        deleted.sort_by_cached_key(|name| name.to_string());
        changes.extend(deleted.into_iter().map(|name| directive::deletion(named.key, name)));
    }
    Ok(changes)
}

fn same_names(original: &[Value], modified: &[Value], key: &str) -> bool {
    original
        .iter()
        .map(|element| element.get(key))
        .eq(modified.iter().map(|element| element.get(key)))
}

fn named_element<'element>(
    element: &'element Value,
    key: &'static str,
) -> Result<(&'element Value, &'element Map<String, Value>), PatchError> {
    let no_name = || PatchError::NoMergeKey { element: element.to_string(), key };
    let fields = element.as_object().ok_or_else(no_name)?;
    Ok((fields.get(key).ok_or_else(no_name)?, fields))
}

fn name_only(element: &Value, key: &'static str) -> Result<Value, PatchError> {
    let (name, _) = named_element(element, key)?;
    Ok(Value::Object(Map::from_iter([(key.to_owned(), name.clone())])))
}
