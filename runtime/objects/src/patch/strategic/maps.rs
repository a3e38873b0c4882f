//! Merging objects.

use serde_json::{Map, Value};

use super::super::PatchError;
use super::directive::{self, About, Directive, RETAIN_KEYS};
use super::lists;
use super::order;
use super::schema::{Rule, Schema};

/// What a patch is merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// An object: directives are followed.
    Apply,
    /// Another patch: directives are kept for whoever applies it.
    Combine,
}

/// `target` with `patch` merged into it.
pub(super) fn merged(
    mut target: Map<String, Value>,
    mut patch: Map<String, Value>,
    schema: &Schema,
    how: Merge,
) -> Result<Map<String, Value>, PatchError> {
    match directive::take(&mut patch)? {
        Directive::Merge => {}
        Directive::Delete => return Ok(Map::new()),
        Directive::Replace => target = Map::new(),
    }
    retain_keys(&mut target, &mut patch, how)?;
    ordered_lists(&mut target, &mut patch, schema, how)?;
    for (key, value) in patch {
        match directive::about(&key)? {
            About::DeletionFrom(_) if how == Merge::Combine => {
                target.insert(key, value);
            }
            About::DeletionFrom(field) => delete_from(&mut target, field, value)?,
            // Done above.
            About::OrderOf(_) => {}
            About::Field(_) => field(&mut target, key, value, schema, how)?,
        }
    }
    Ok(target)
}

fn field(
    target: &mut Map<String, Value>,
    key: String,
    value: Value,
    schema: &Schema,
    how: Merge,
) -> Result<(), PatchError> {
    if value.is_null() {
        match how {
            Merge::Apply => target.remove(&key),
            Merge::Combine => target.insert(key, value),
        };
        return Ok(());
    }
    let rule = schema.rule(&key);
    let merged = match (target.remove(&key), value) {
        (Some(Value::Object(target)), Value::Object(patch)) => object(target, patch, rule, how)?,
        (Some(Value::Array(target)), Value::Array(patch)) => {
            lists::merged(target, patch, rule, how)?
        }
        // There is nothing to merge with; what the patch says of nulls and lists holds all the same.
        (_, Value::Object(patch)) if how == Merge::Apply => object(Map::new(), patch, rule, how)?,
        (_, Value::Array(patch)) if how == Merge::Apply => {
            lists::merged(Vec::new(), patch, rule, how)?
        }
        (_, value) => value,
    };
    target.insert(key, merged);
    Ok(())
}

fn object(
    target: Map<String, Value>,
    patch: Map<String, Value>,
    rule: Rule,
    how: Merge,
) -> Result<Value, PatchError> {
    let schema = match rule {
        Rule::Plain(schema) => schema,
        Rule::Named(named) => named.element,
        Rule::Set => return Err(wrong_type("list", "map")),
    };
    merged(target, patch, schema, how).map(Value::Object)
}

/// Removes what `$retainKeys` does not name.
fn retain_keys(
    target: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    how: Merge,
) -> Result<(), PatchError> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if how == Merge::Combine {
        target.insert(RETAIN_KEYS.to_owned(), retained);
        return Ok(());
    }
    let Value::Array(retained) = retained else {
        return Err(PatchError::RetainKeys);
    };
    let is_retained = |key: &str| retained.iter().any(|retained| retained.as_str() == Some(key));
    for (key, value) in patch.iter() {
        let is_field = matches!(directive::about(key)?, About::Field(_));
        if is_field && !value.is_null() && !is_retained(key) {
            return Err(PatchError::RetainKeys);
        }
    }
    target.retain(|key, _| is_retained(key));
    Ok(())
}

fn delete_from(
    target: &mut Map<String, Value>,
    field: &str,
    deleted: Value,
) -> Result<(), PatchError> {
    let Value::Array(deleted) = deleted else {
        return Err(PatchError::PrimitiveList);
    };
    if let Some(Value::Array(list)) = target.get_mut(field) {
        list.retain(|element| !deleted.contains(element));
    }
    Ok(())
}

/// Merges the lists for which the patch has an order.
fn ordered_lists(
    target: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    schema: &Schema,
    how: Merge,
) -> Result<(), PatchError> {
    let mut fields = Vec::new();
    for key in patch.keys() {
        if let About::OrderOf(field) = directive::about(key)? {
            fields.push((key.clone(), field.to_owned()));
        }
    }
    for (key, field) in fields {
        let Some(Value::Array(wanted)) = patch.remove(&key) else {
            return Err(PatchError::SetElementOrder);
        };
        if how == Merge::Combine {
            let before = target.insert(key, Value::Array(wanted.clone()));
            if before.is_some_and(|before| before.as_array() != Some(&wanted)) {
                return Err(PatchError::SetElementOrder);
            }
        }
        let rule = schema.rule(&field);
        if let Rule::Plain(_) = rule {
            // A list of which nothing is known is replaced, and so has the order of the patch.
            continue;
        }
        let before = list(target.get(&field))?;
        // A deletion from this list is part of the patch to it.
        let deleted = match how {
            Merge::Apply => list(patch.get(&directive::deletion_from(&field)))?,
            Merge::Combine => None,
        };
        let change = list(patch.get(&field))?;
        order::check(change.unwrap_or_default(), &wanted, rule)?;
        let merged = match (before, change) {
            (None, None) => continue,
            (Some(before), None) => before.to_vec(),
            (None, Some(change)) if how == Merge::Combine => change.to_vec(),
            (before, Some(change)) => {
                let before = before.unwrap_or_default().to_vec();
                match lists::merged(before, change.to_vec(), rule, how)? {
                    Value::Array(merged) => merged,
                    other => vec![other],
                }
            }
        };
        let deleted = deleted.unwrap_or_default();
        let merged = merged.into_iter().filter(|element| !deleted.contains(element)).collect();
        let before = before.unwrap_or_default();
        let ordered = order::ordered(merged, &wanted, before, rule)?;
        target.insert(field.clone(), Value::Array(ordered));
        patch.remove(&field);
    }
    Ok(())
}

/// A field that is a list, or absent.
fn list(value: Option<&Value>) -> Result<Option<&[Value]>, PatchError> {
    match value {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => Err(wrong_type("list", name_of(other))),
    }
}

pub(super) fn wrong_type(expected: &'static str, received: &'static str) -> PatchError {
    PatchError::WrongType { expected, received }
}

/// As apimachinery would name its type.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}
