//! The order of a merged list.
//!
//! What the patch speaks of comes in the order that the patch asks for, everything else in the
//! order that it had; between the two, an element stays in front of what it was in front of.

use std::collections::VecDeque;

use serde_json::Value;

use super::super::PatchError;
use super::directive;
use super::maps::{name_of, wrong_type};
use super::schema::Rule;

/// `merged` in the order of `wanted`, and for the rest in that of `before`.
pub(super) fn ordered(
    merged: Vec<Value>,
    wanted: &[Value],
    before: &[Value],
    rule: Rule,
) -> Result<Vec<Value>, PatchError> {
    for list in [merged.as_slice(), wanted] {
        for element in list {
            name(element, rule)?;
        }
    }
    let place = |list: &[Value], element: &Value| {
        let wanted = name(element, rule).ok()?;
        list.iter().position(|element| name(element, rule) == Ok(wanted))
    };
    let is_wanted = |element: &Value| place(wanted, element).is_some();
    let (mut asked, mut others): (Vec<Value>, Vec<Value>) = merged.into_iter().partition(is_wanted);
    // What is only there to say that something goes stands behind what stays.
    let sort = |list: &mut Vec<Value>, order: &[Value]| {
        list.sort_by_key(|element| {
            let place = place(order, element).unwrap_or(usize::MAX);
            (directive::is_deletion(element), place)
        });
    };
    sort(&mut asked, wanted);
    sort(&mut others, before);

    let (mut asked, mut others) = (VecDeque::from(asked), VecDeque::from(others));
    let mut all = Vec::with_capacity(asked.len() + others.len());
    while let (Some(next), Some(other)) = (asked.front(), others.front()) {
        let was_in_front = match (place(before, other), place(before, next)) {
            (Some(other), Some(next)) => other < next,
            _ => false,
        };
        let from = if was_in_front { &mut others } else { &mut asked };
        all.extend(from.pop_front());
    }
    all.extend(asked);
    all.extend(others);
    Ok(all)
}

/// Whether the list of a patch is in the order that the patch asks for.
pub(super) fn check(list: &[Value], wanted: &[Value], rule: Rule) -> Result<(), PatchError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut left = wanted.iter();
    // Those with a directive of their own have no place.
    for element in list.iter().filter(|element| element.get(directive::PATCH).is_none()) {
        let own = name(element, rule)?;
        let mut found = false;
        for next in left.by_ref() {
            if name(next, rule)? == own {
                found = true;
                break;
            }
        }
        if !found {
            return Err(PatchError::Order {
                list: Value::Array(list.to_vec()).to_string(),
                order: Value::Array(wanted.to_vec()).to_string(),
            });
        }
    }
    Ok(())
}

/// By what an element is known among the others.
fn name(element: &Value, rule: Rule) -> Result<&Value, PatchError> {
    match rule {
        Rule::Named(named) => match element {
            Value::Object(fields) => fields.get(named.key).ok_or_else(|| PatchError::NoMergeKey {
                element: element.to_string(),
                key: named.key,
            }),
            other => Err(wrong_type("map", name_of(other))),
        },
        Rule::Plain(_) | Rule::Set => Ok(element),
    }
}
