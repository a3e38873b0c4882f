//! Whether a comparison in a filter holds.
//!
//! Rule: the functions of Go's `text/template`: both sides must be of one type, and a whole number
//! is of another than `1.0`.

use std::cmp::Ordering;

use serde_json::Value;

use super::error::EvaluateError;

pub(super) fn holds(left: &Value, operator: &str, right: &Value) -> Result<bool, EvaluateError> {
    let order = || {
        if left.is_boolean() && right.is_boolean() {
            return Err(EvaluateError::InvalidType);
        }
        compare(left, right)
    };
    let is_less = || Ok(order()? == Some(Ordering::Less));
    let is_equal = || Ok(compare(left, right)? == Some(Ordering::Equal));
    match operator {
        "==" => is_equal(),
        "!=" => is_equal().map(|is_equal| !is_equal),
        "<" => is_less(),
        "<=" => Ok(is_less()? || is_equal()?),
        ">" => Ok(!(is_less()? || is_equal()?)),
        ">=" => is_less().map(|is_less| !is_less),
        other => Err(EvaluateError::UnrecognizedOperator(other.to_owned())),
    }
}

fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, EvaluateError> {
    match (left, right) {
        (Value::Null | Value::Array(_) | Value::Object(_), _)
        | (_, Value::Null | Value::Array(_) | Value::Object(_)) => Err(EvaluateError::InvalidType),
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        (Value::Bool(left), Value::Bool(right)) => Ok(Some(left.cmp(right))),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Ok(Some(left.cmp(&right))),
            (None, None) => {
                let floats = left.as_f64().zip(right.as_f64());
                Ok(floats.and_then(|(left, right)| left.partial_cmp(&right)))
            }
            (Some(_), None) | (None, Some(_)) => Err(EvaluateError::IncompatibleTypes),
        },
        (_, _) => Err(EvaluateError::IncompatibleTypes),
    }
}
