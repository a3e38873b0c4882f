//! What a plain YAML scalar means.
//!
//! `kubectl` reads YAML with sigs.k8s.io/yaml, which resolves scalars as go-yaml v2 does, that is
//! by YAML 1.1 with the gaps and extras of that library: `0400` and `0o400` are octal, `yes`, `on`
//! and `y` are booleans, `1_000` is a number, but `1:30` and dates are strings. Rules and order
//! are those of its `resolve`; the result must fit into JSON, so that infinities do not.

use k8s_openapi::ByteString;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

use crate::node::Value;

/// A scalar that YAML knows and JSON does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotFinite;

/// Resolves a scalar without quotes and without a tag.
pub(super) fn resolve(text: &str) -> Result<Value, NotFinite> {
    let Some(first) = text.bytes().next() else {
        return Ok(Value::Null);
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            Ok(word(text).unwrap_or_else(|| Value::String(text.to_owned())))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Resolves a scalar that carries one of YAML's own tags; nothing when it does not fit its tag.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Option<Result<Value, NotFinite>> {
    let resolved = resolve(text);
    match (tag, resolved) {
        ("str" | "timestamp", _) => Some(Ok(Value::String(text.to_owned()))),
        ("binary", _) => from_base64(text).map(|text| Ok(Value::String(text))),
        ("float", Ok(Value::Integer(integer))) => Some(Ok(Value::Integer(integer))),
        ("int", Ok(value @ Value::Integer(_)))
        | ("float", Ok(value @ Value::Float(_)))
        | ("bool", Ok(value @ Value::Bool(_)))
        | ("null", Ok(value @ Value::Null)) => Some(Ok(value)),
        ("float", Err(NotFinite)) => Some(Err(NotFinite)),
        _ => None,
    }
}

fn from_base64(text: &str) -> Option<String> {
    let compact: String = text.split_ascii_whitespace().collect();
    let deserializer: StrDeserializer<'_, serde::de::value::Error> =
        compact.as_str().into_deserializer();
    String::from_utf8(ByteString::deserialize(deserializer).ok()?.0).ok()
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => return None,
    })
}

fn number(text: &str) -> Result<Value, NotFinite> {
    if let ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
    | "-.inf" | "-.Inf" | "-.INF" = text
    {
        return Err(NotFinite);
    }
    let plain: std::borrow::Cow<'_, str> = if text.contains('_') && !text.starts_with('.') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    if let Some(integer) = integer(&plain) {
        return Ok(Value::Integer(integer));
    }
    if looks_like_float(&plain)
        && let Ok(float) = plain.parse::<f64>()
        && float.is_finite()
    {
        return Ok(from_float(float));
    }
    Ok(Value::String(text.to_owned()))
}

/// A float as JSON would carry it on: Go prints a whole one without a point, so that `1.0` does
/// for an integer field.
pub(super) fn from_float(float: f64) -> Value {
    // Up to 2^53 every whole float is that integer exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.fract() == 0.0 && float.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
        let integer = float as i64;
        Value::Integer(i128::from(integer))
    } else {
        Value::Float(float)
    }
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<i128> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would take a second sign.
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    let fits = i64::try_from(value).is_ok() || !signed;
    fits.then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, whole.
fn looks_like_float(text: &str) -> bool {
    fn digits(text: &str) -> (usize, &str) {
        let count = text.bytes().take_while(u8::is_ascii_digit).count();
        (count, &text[count..])
    }
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = digits(rest);
    let rest = match rest.strip_prefix('.') {
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            if whole == 0 && fraction == 0 {
                return false;
            }
            rest
        }
        None if whole == 0 => return false,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(rest) => {
            let (exponent, rest) = digits(rest.strip_prefix(['-', '+']).unwrap_or(rest));
            exponent > 0 && rest.is_empty()
        }
        None => rest.is_empty(),
    }
}

/// The text of a scalar that stands as a key, as sigs.k8s.io/yaml writes it; null is no key.
pub(super) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("true".to_owned()),
        Value::Bool(false) => Some("false".to_owned()),
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Float(float) => Some(float.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}
