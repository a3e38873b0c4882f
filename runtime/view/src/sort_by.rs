//! The order that `--sort-by` asks for.
//!
//! Rule: the sorter of `kubectl get`: texts as quantities where both are, else with their numbers
//! counted as numbers; what lacks the field comes first. Times are texts that sort as they are.

use std::cmp::Ordering;

use serde_json::Value;
use thiserror::Error;
use wasmpod_manifest::quantity::Quantity;

use crate::jsonpath::{EvaluateError, JsonPath, ParseError, RelaxedError, relaxed};
use crate::order;

/// Why objects cannot be sorted so.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SortError {
    /// The path.
    #[error(transparent)]
    Relaxed(#[from] RelaxedError),
    /// The path.
    #[error(transparent)]
    Path(#[from] ParseError),
    /// The path asks for what is not there.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// No object has the field.
    #[error("couldn't find any field with path {0:?} in the list of objects")]
    NotFound(String),
    /// The field is a map, a list or a truth value, or not the same everywhere.
    #[error("field {path} cannot be sorted by: {type_}")]
    Unsortable {
        /// As a template.
        path: String,
        /// What the field is, in JSON's words.
        type_: &'static str,
    },
}

/// The objects in the order of the field at `path`.
///
/// # Errors
/// See [`SortError`].
pub fn sort_by(path: &str, objects: Vec<Value>) -> Result<Vec<Value>, SortError> {
    let template = relaxed(path)?;
    let parsed = JsonPath::parse(&template)?;
    let mut keyed = Vec::with_capacity(objects.len());
    for object in objects {
        let found = parsed.find(&object)?;
        let key = found.into_iter().next().and_then(|found| found.into_iter().next());
        let key = key.map(|key| key.into_owned());
        keyed.push((key, object));
    }
    if !keyed.is_empty() && keyed.iter().all(|(key, _)| key.is_none()) {
        return Err(SortError::NotFound(template));
    }
    let unsortable = keyed.iter().filter_map(|(key, _)| unsortable(key.as_ref()?)).next();
    if let Some(type_) = unsortable.filter(|_| keyed.len() > 1) {
        return Err(SortError::Unsortable { path: template, type_ });
    }
    let sorted = order::sorted(keyed, |(one, _), (other, _)| match (one, other) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => is_less(one, other),
    });
    Ok(sorted.into_iter().map(|(_, object)| object).collect())
}

fn unsortable(key: &Value) -> Option<&'static str> {
    match key {
        Value::Object(_) => Some("a map"),
        Value::Array(_) => Some("a list"),
        Value::Bool(_) => Some("a truth value"),
        Value::Null | Value::Number(_) | Value::String(_) => None,
    }
}

/// Nothing comes before numbers, numbers before texts.
fn is_less(one: &Value, other: &Value) -> bool {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        _ => 2,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one < other,
            (_, _) => one.as_f64() < other.as_f64(),
        },
        (Value::String(one), Value::String(other)) => {
            match (one.parse::<Quantity>(), other.parse::<Quantity>()) {
                (Ok(one), Ok(other)) => one < other,
                (_, _) => natural(one, other).is_lt(),
            }
        }
        (_, _) => rank(one) < rank(other),
    }
}

/// With the numbers in the texts counted as numbers: `web-2` before `web-10`.
///
/// Rule: `sortorder.NaturalLess`.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let ((Some(a), Some(b)), digit) = ((one.first(), other.first()), u8::is_ascii_digit) else {
            return one.len().cmp(&other.len());
        };
        if digit(a) && digit(b) {
            let (a, rest_of_one) = number(one);
            let (b, rest_of_other) = number(other);
            let (a_value, b_value) = (without_zeros(a), without_zeros(b));
            let by_value = a_value.len().cmp(&b_value.len()).then(a_value.cmp(b_value));
            // Of equal numbers, the one with fewer zeros before it.
            match by_value.then(a.len().cmp(&b.len())) {
                Ordering::Equal => (one, other) = (rest_of_one, rest_of_other),
                different => return different,
            }
        } else if a == b {
            (one, other) = (&one[1..], &other[1..]);
        } else {
            return a.cmp(b);
        }
    }
}

fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order_of(values: Value) -> Result<Vec<String>, SortError> {
        let object = |value: &Value| match value {
            Value::Null => json!({}),
            value => json!({ "f": value }),
        };
        let objects = values.as_array().unwrap().iter().map(object).collect();
        let sorted = sort_by(".f", objects)?;
        Ok(sorted.iter().map(|object| object["f"].to_string()).collect())
    }

    #[test]
    fn each_type_has_its_order() {
        let table = [
            (json!([10, 9, -1]), json!([-1, 9, 10])),
            (json!([1.5, 1, 0.5]), json!([0.5, 1, 1.5])),
            (json!(["web-10", "web-2", "db"]), json!(["db", "web-2", "web-10"])),
            (json!(["1Gi", "500M", "1k"]), json!(["1k", "500M", "1Gi"])),
            (json!(["v1.10", "v1.9", "v1.09"]), json!(["v1.9", "v1.09", "v1.10"])),
            (
                json!(["2026-11-25T08:00:00Z", "2025-01-01T00:00:00Z"]),
                json!(["2025-01-01T00:00:00Z", "2026-11-25T08:00:00Z"]),
            ),
            (json!([2, null, 1]), json!([null, 1, 2])),
            (json!(["x", 1]), json!([1, "x"])),
        ];
        for (values, sorted) in table {
            let sorted: Vec<String> =
                sorted.as_array().unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(order_of(values).unwrap(), sorted);
        }
    }

    #[test]
    fn a_field_that_nobody_has_is_an_error() {
        insta::assert_snapshot!(order_of(json!([null])).unwrap_err(), @r#"couldn't find any field with path "{.f}" in the list of objects"#);
        insta::assert_snapshot!(order_of(json!([{}, {}])).unwrap_err(), @"field {.f} cannot be sorted by: a map");
        assert_eq!(order_of(json!([])).unwrap(), Vec::<String>::new());
        assert!(sort_by("{.a[", Vec::new()).is_err());
    }
}
