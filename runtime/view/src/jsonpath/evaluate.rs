//! From an object to what the paths of a template find in it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::compare;
use super::error::EvaluateError;
use super::node::{End, Filter, Path, Section, Slice, Step};
use super::template::{JsonPath, MissingKeys};
use crate::go;

/// What one step has found; texts and numbers of the template are values too.
pub(super) type Found<'object> = Vec<Cow<'object, Value>>;

impl JsonPath {
    /// What each text and each path of the template finds, in the order in which they are reached.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn find<'object>(
        &self,
        object: &'object Value,
    ) -> Result<Vec<Vec<Cow<'object, Value>>>, EvaluateError> {
        let mut results = Vec::new();
        self.sections(&self.sections, Cow::Borrowed(object), &mut results)?;
        Ok(results)
    }

    fn sections<'object>(
        &self,
        sections: &[Section],
        value: Cow<'object, Value>,
        results: &mut Vec<Found<'object>>,
    ) -> Result<(), EvaluateError> {
        for section in sections {
            match section {
                Section::Text(text) => results.push(vec![Cow::Owned(text.clone().into())]),
                Section::Path(path) => results.push(self.path(path, vec![value.clone()])?),
                Section::StrayEnd => return Err(EvaluateError::NotInRange),
                Section::Range { over, body, is_closed } => {
                    for item in self.path(over, vec![value.clone()])? {
                        self.sections(body, item, results)?;
                    }
                    // kubectl then goes on right behind the opening of a range without end.
                    if !is_closed {
                        self.sections(body, value.clone(), results)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn path<'object>(
        &self,
        path: &Path,
        values: Found<'object>,
    ) -> Result<Found<'object>, EvaluateError> {
        path.iter().try_fold(values, |values, step| self.step(step, values))
    }

    fn step<'object>(
        &self,
        step: &Step,
        values: Found<'object>,
    ) -> Result<Found<'object>, EvaluateError> {
        let constant = |values: &Found<'_>, value: &Value| {
            values.iter().map(|_| Cow::Owned(value.clone())).collect()
        };
        Ok(match step {
            Step::Field(key) => self.field(key, values)?,
            Step::Wildcard => values.into_iter().flat_map(children).collect(),
            Step::Descent => {
                let mut found = Found::new();
                values.into_iter().for_each(|value| descend(value, &mut found));
                found
            }
            Step::Slice(slice) => {
                let mut found = Found::new();
                for value in values {
                    found.extend(sliced(*slice, value)?);
                }
                found
            }
            Step::Union(paths) => {
                let mut found = Found::new();
                for path in paths {
                    found.extend(self.path(path, values.clone())?);
                }
                found
            }
            Step::Filter(filter) => self.filter(filter, values)?,
            Step::Text(text) => vec![Cow::Owned(text.clone().into())],
            Step::Integer(integer) => constant(&values, &(*integer).into()),
            Step::Float(float) => constant(&values, &(*float).into()),
            Step::Bool(truth) => constant(&values, &(*truth).into()),
            Step::Identifier(word) if word == "end" => return Err(EvaluateError::NotInRange),
            Step::Identifier(word) => {
                return Err(EvaluateError::UnrecognizedIdentifier(word.clone()));
            }
        })
    }

    fn field<'object>(
        &self,
        key: &str,
        values: Found<'object>,
    ) -> Result<Found<'object>, EvaluateError> {
        let is_empty = values.is_empty();
        let entry = |value: Cow<'object, Value>| match value {
            Cow::Borrowed(value) => value.as_object()?.get(key).map(Cow::Borrowed),
            Cow::Owned(mut value) => value.as_object_mut()?.remove(key).map(Cow::Owned),
        };
        let found: Found<'object> = values.into_iter().filter_map(entry).collect();
        match self.missing_keys {
            MissingKeys::Error if found.is_empty() && !is_empty => {
                Err(EvaluateError::NotFound(key.to_owned()))
            }
            MissingKeys::Error | MissingKeys::Nothing => Ok(found),
        }
    }

    fn filter<'object>(
        &self,
        filter: &Filter,
        values: Found<'object>,
    ) -> Result<Found<'object>, EvaluateError> {
        let mut found = Found::new();
        for value in values {
            let items =
                items(value).map_err(|value| EvaluateError::NotFilterable(go::display(&value)))?;
            for item in items {
                if self.keeps(filter, &item)? {
                    found.push(item);
                }
            }
        }
        Ok(found)
    }

    fn keeps(&self, filter: &Filter, item: &Value) -> Result<bool, EvaluateError> {
        let find = |path: &Path| self.path(path, vec![Cow::Borrowed(item)]);
        let (left, operator, right) = match filter {
            Filter::Exists(path) => return Ok(find(path).is_ok_and(|found| !found.is_empty())),
            Filter::Compares { left, operator, right } => (left, operator, right),
        };
        let single = |found: Found<'_>| match found.len() {
            0 => Ok(None),
            1 => Ok(found.into_iter().next().map(Cow::into_owned)),
            _ => Err(EvaluateError::CompareSeveral),
        };
        let Some(left) = single(find(left)?)? else { return Ok(false) };
        let Some(right) = single(find(right)?)? else { return Ok(false) };
        compare::holds(&left, operator, &right)
    }
}

/// The values in a map, in the order of their keys, or in a list. A text has its bytes, as in Go.
fn children(value: Cow<'_, Value>) -> Vec<Cow<'_, Value>> {
    match value {
        Cow::Borrowed(Value::Object(map)) => in_order(map).map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Object(map)) => {
            in_order(&map).map(|value| Cow::Owned(value.clone())).collect()
        }
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        other => match other.as_str() {
            Some(text) => text.bytes().map(|byte| Cow::Owned(byte.into())).collect(),
            None => Vec::new(),
        },
    }
}

fn in_order(map: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
    pairs.sort_by_key(|(key, _)| *key);
    pairs.into_iter().map(|(_, value)| value)
}

/// The value with all that is in it, as far as something is.
fn descend<'object>(value: Cow<'object, Value>, found: &mut Found<'object>) {
    let children = children(value.clone());
    if !children.is_empty() {
        let is_text = value.is_string();
        found.push(value);
        if !is_text {
            children.into_iter().for_each(|child| descend(child, found));
        }
    }
}

/// The items of a list, or the value that is none.
fn items(value: Cow<'_, Value>) -> Result<Vec<Cow<'_, Value>>, Cow<'_, Value>> {
    if value.is_array() { Ok(children(value)) } else { Err(value) }
}

fn sliced(slice: Slice, value: Cow<'_, Value>) -> Result<Vec<Cow<'_, Value>>, EvaluateError> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let items = items(value).map_err(|value| EvaluateError::NotAList(type_name(&value)))?;
    let length = items.len();
    let count = i64::try_from(length).unwrap_or(i64::MAX);
    let start = slice.start.unwrap_or(0);
    let end = match slice.end {
        End::Open => count,
        End::Before(end) if end < 0 => end.saturating_add(count),
        End::Before(end) => end,
        End::AfterStart => match start.saturating_add(1) {
            end if end <= 0 => end.saturating_add(count),
            end => end,
        },
    };
    let start = if start < 0 { start.saturating_add(count) } else { start };
    if start == end {
        return Ok(Vec::new());
    }
    if start < 0 || start >= count {
        return Err(EvaluateError::OutOfBounds { index: start, length });
    }
    if end < 0 || end > count {
        return Err(EvaluateError::OutOfBounds { index: end.saturating_sub(1), length });
    }
    if start > end {
        return Err(EvaluateError::Backwards { start, end });
    }
    let step = match slice.step {
        None => 1,
        Some(step) if step > 0 => usize::try_from(step).unwrap_or(usize::MAX),
        Some(_) => return Err(EvaluateError::Step),
    };
    let place = |number: i64| usize::try_from(number).unwrap_or(length);
    Ok(items.into_iter().take(place(end)).skip(place(start)).step_by(step).collect())
}

/// As Go calls the type.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
