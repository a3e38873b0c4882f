//! How deep an object may be nested.
//!
//! A reader of JSON gives up on what is nested deeper than 127 times, and whoever walks over an
//! object, or drops it, needs stack for each level. So nothing deeper is made of a patch, and
//! nothing deeper is kept: nobody could read it again.

use serde_json::Value;

/// So many levels are kept. No type of the API needs a quarter of it.
pub(crate) const MOST: usize = 100;

/// What is said of more.
pub(crate) const TOO_DEEP: &str = "the object would be nested too deep";

/// Whether a value has more than so many levels.
pub(crate) fn exceeds(value: &Value, levels: usize) -> bool {
    let inner = |value: &Value| match levels.checked_sub(1) {
        Some(left) => exceeds(value, left),
        None => true,
    };
    match value {
        Value::Array(elements) => levels == 0 || elements.iter().any(inner),
        Value::Object(fields) => levels == 0 || fields.values().any(inner),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn levels_are_counted() {
        assert!(!exceeds(&json!(1), 0));
        assert!(exceeds(&json!([]), 0));
        assert!(!exceeds(&json!([{}, 1]), 2));
        assert!(exceeds(&json!([{ "a": [] }]), 2));
    }
}
