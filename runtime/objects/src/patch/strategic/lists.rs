//! Merging lists.

use serde_json::{Map, Value};

use super::super::PatchError;
use super::directive::{self, Directive};
use super::maps::{self, Merge, name_of, wrong_type};
use super::order;
use super::schema::{Named, Rule};

/// `target` with `patch` merged into it, in the order of the patch.
pub(super) fn merged(
    target: Vec<Value>,
    patch: Vec<Value>,
    rule: Rule,
    how: Merge,
) -> Result<Value, PatchError> {
    match rule {
        Rule::Plain(_) => return Ok(Value::Array(patch)),
        _ if target.is_empty() && patch.is_empty() => return Ok(Value::Array(target)),
        Rule::Set | Rule::Named(_) => {}
    }
    check_elements(&target, &patch)?;
    let (before, wanted) = (target.clone(), order_of(&patch));
    let merged = match rule {
        Rule::Named(named) => by_name(target, patch, named, how)?,
        Rule::Plain(_) | Rule::Set => union(target, patch)?,
    };
    order::ordered(merged, &wanted, &before, rule).map(Value::Array)
}

/// The elements of the patch that are to be there.
fn order_of(patch: &[Value]) -> Vec<Value> {
    patch.iter().filter(|element| directive::stays(element)).cloned().collect()
}

/// All of one kind, and none a list.
pub(super) fn check_elements(one: &[Value], other: &[Value]) -> Result<(), PatchError> {
    let mut elements = one.iter().chain(other);
    let Some(first) = elements.next() else { return Ok(()) };
    if first.is_array() || elements.clone().any(Value::is_array) {
        return Err(PatchError::ListOfLists);
    }
    match elements.find(|element| element.is_object() != first.is_object()) {
        None => Ok(()),
        Some(_) => {
            let all = Value::Array(one.iter().chain(other).cloned().collect());
            Err(PatchError::Mixed(all.to_string()))
        }
    }
}

fn union(mut target: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>, PatchError> {
    for element in patch {
        if element.is_object() {
            return Err(wrong_type("plain value", "map"));
        }
        if !target.contains(&element) {
            target.push(element);
        }
    }
    Ok(target)
}

fn by_name(
    mut target: Vec<Value>,
    patch: Vec<Value>,
    named: Named,
    how: Merge,
) -> Result<Vec<Value>, PatchError> {
    let mut changes = Vec::new();
    let mut replace = false;
    for element in patch {
        let Value::Object(mut element) = element else {
            return Err(wrong_type("map", name_of(&element)));
        };
        match directive::take(&mut element)? {
            Directive::Merge => changes.push(element),
            Directive::Replace => replace = true,
            Directive::Delete => {
                let name = name_in(&element, named.key)?;
                target.retain(|element| element.get(named.key) != Some(name));
            }
        }
    }
    if replace {
        target = Vec::new();
    }
    for change in changes {
        let name = name_in(&change, named.key)?;
        let known = target.iter_mut().find(|known| known.get(named.key) == Some(name));
        match known {
            Some(known) => {
                let before = match known.take() {
                    Value::Object(before) => before,
                    other => return Err(wrong_type("map", name_of(&other))),
                };
                *known = Value::Object(maps::merged(before, change, named.element, how)?);
            }
            None if how == Merge::Combine => target.push(Value::Object(change)),
            None => {
                let new = maps::merged(Map::new(), change, named.element, how)?;
                target.push(Value::Object(new));
            }
        }
    }
    Ok(target)
}

fn name_in<'element>(
    element: &'element Map<String, Value>,
    key: &'static str,
) -> Result<&'element Value, PatchError> {
    element.get(key).ok_or_else(|| PatchError::NoMergeKey {
        element: Value::Object(element.clone()).to_string(),
        key,
    })
}
