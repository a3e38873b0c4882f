//! The walk over a tree with the table in hand.

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::hint;
use super::path::Path;
use crate::decode::decode;
use crate::node::{Node, Position, Value};
use crate::problem::ProblemKind;
use crate::report::Report;
use crate::schema::{Field, Keys, Object, REDUCED, Shape, Support};
use crate::template;

/// Checks an object; `path` is that of the object itself.
///
/// What has a wrong type is null afterwards.
pub(crate) fn check(
    node: &mut Node,
    object: &'static Object,
    path: &Path<'_>,
    report: &mut Report,
) {
    check_object(node, object, path, Say::Verdicts, report);
}

/// Whether the verdicts of the table still count: below a field that is ignored as a whole, the
/// fields within it are not worth a word, but must still be spelt right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Say {
    Verdicts,
    Nothing,
}

fn check_object(
    node: &mut Node,
    object: &'static Object,
    path: &Path<'_>,
    say: Say,
    report: &mut Report,
) {
    let entries = match &mut node.value {
        Value::Null => return,
        Value::Mapping(entries) => entries,
        _ => return wrong_type(node, &Shape::Object(object), path, report),
    };
    for entry in entries {
        let inner = path.field(&entry.key);
        match object.field(&entry.key) {
            Some(field) => {
                let say =
                    verdict(field, object.name, entry.key_at, &entry.value, &inner, say, report);
                check_value(&mut entry.value, &field.shape, &inner, say, report);
            }
            None => {
                let hint = report
                    .is_worth_a_search()
                    .then(|| hint::for_unknown(&entry.key, object, path))
                    .flatten();
                report.problem(
                    ProblemKind::UnknownField,
                    entry.key_at,
                    inner.to_string(),
                    format!("unknown field \"{inner}\""),
                    hint,
                );
            }
        }
    }
}

fn check_value(
    node: &mut Node,
    shape: &'static Shape,
    path: &Path<'_>,
    say: Say,
    report: &mut Report,
) {
    let right = match (shape, &mut node.value) {
        (_, Value::Null) | (Shape::Any, _) => true,
        (Shape::Object(object), _) => {
            return check_object(node, object, &path.of(object), say, report);
        }
        (Shape::List(item), Value::Sequence(items)) => {
            for (index, node) in items.iter_mut().enumerate() {
                check_value(node, item, &path.index(index), say, report);
            }
            true
        }
        (Shape::Map(value), Value::Mapping(entries)) => {
            for entry in entries {
                check_value(&mut entry.value, value, &path.key(&entry.key), say, report);
            }
            true
        }
        (Shape::KeyedMap(keys), Value::Mapping(_)) => {
            return check_keyed(node, keys, path, say, report);
        }
        (Shape::Bool, Value::Bool(_)) => true,
        (Shape::Int32, Value::Integer(integer)) => i32::try_from(*integer).is_ok(),
        (Shape::Int64, Value::Integer(integer)) => i64::try_from(*integer).is_ok(),
        (Shape::String, Value::String(_)) => true,
        (Shape::Quantity, Value::String(_) | Value::Integer(_) | Value::Float(_)) => true,
        (Shape::IntOrString, Value::Integer(integer)) => i32::try_from(*integer).is_ok(),
        (Shape::IntOrString, Value::String(_)) => true,
        (Shape::Time, Value::String(_)) => decode::<Time>(node).is_ok(),
        (Shape::Bytes, Value::String(text)) => {
            // Tools wrap base64 at 76 columns, and Kubernetes reads it so.
            text.retain(|character| character != '\n' && character != '\r');
            decode::<ByteString>(node).is_ok()
        }
        _ => false,
    };
    if !right {
        wrong_type(node, shape, path, report);
    }
}

fn check_keyed(
    node: &mut Node,
    keys: &'static Keys,
    path: &Path<'_>,
    say: Say,
    report: &mut Report,
) {
    let Value::Mapping(entries) = &mut node.value else {
        return;
    };
    for entry in entries {
        let inner = path.key(&entry.key);
        let (shape, support) = match keys.known.iter().find(|known| known.name == entry.key) {
            Some(field) => (&field.shape, field.support),
            None => (&keys.shape, keys.support),
        };
        if say == Say::Verdicts && !asks_for_nothing(&entry.value) {
            judge(support, keys.name, &entry.key, entry.key_at, &inner, report);
        }
        check_value(&mut entry.value, shape, &inner, say, report);
    }
}

/// Says what becomes of a field, and whether those within it have a say of their own.
fn verdict(
    field: &'static Field,
    object: &'static str,
    at: Position,
    value: &Node,
    path: &Path<'_>,
    say: Say,
    report: &mut Report,
) -> Say {
    if say == Say::Nothing || asks_for_nothing(value) || !field.values.contain(&value.value) {
        return say;
    }
    judge(field.support, object, field.name, at, path, report)
}

fn judge(
    support: Support,
    object: &'static str,
    name: &str,
    at: Position,
    path: &Path<'_>,
    report: &mut Report,
) -> Say {
    match support {
        Support::Honoured | Support::WithParent => Say::Verdicts,
        Support::System => Say::Nothing,
        // One note speaks of the workload as a whole.
        Support::Ignored(REDUCED) => Say::Nothing,
        Support::Ignored(reason) => {
            report.note_once((object, name), at, || {
                (path.to_string(), format!("{path}: accepted without effect: {reason}"))
            });
            Say::Nothing
        }
        Support::Refused(reason) => {
            report.problem(
                ProblemKind::NotSupported,
                at,
                path.to_string(),
                format!("{path}: not supported: {reason}"),
                None,
            );
            Say::Nothing
        }
    }
}

fn asks_for_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
        Value::Bool(true) | Value::Integer(_) | Value::Float(_) => false,
    }
}

fn wrong_type(node: &mut Node, shape: &Shape, path: &Path<'_>, report: &mut Report) {
    let found = describe(&node.value);
    let unfilled = match &node.value {
        Value::String(text) => template::hint(text),
        _ => None,
    };
    let hint = unfilled.or_else(|| match (shape, &node.value) {
        (Shape::String, Value::Bool(_)) => Some(
            "put it in quotes; without them yes, no, on, off, y, n, true and false are booleans"
                .to_owned(),
        ),
        (Shape::String, Value::Integer(_) | Value::Float(_)) => {
            Some("put it in quotes: without them it is a number".to_owned())
        }
        (Shape::Bool | Shape::Int32 | Shape::Int64, Value::String(text)) if is_plain_word(text) => {
            Some("write it without quotes".to_owned())
        }
        (Shape::List(_), Value::Mapping(_)) => {
            Some("each item of a list begins with `- `".to_owned())
        }
        (Shape::List(Shape::String), Value::String(_)) => {
            Some("write a list, one string a word: [\"a\", \"b\"]".to_owned())
        }
        (Shape::Object(_) | Shape::Map(_) | Shape::KeyedMap(_), Value::Sequence(_)) => {
            Some("a mapping has no `- ` before its keys".to_owned())
        }
        _ => None,
    });
    report.problem(
        ProblemKind::WrongType,
        node.at,
        path.to_string(),
        format!("{path}: expected {}, found {found}", shape.expected()),
        hint,
    );
    node.value = Value::Null;
}

fn is_plain_word(text: &str) -> bool {
    text == "true" || text == "false" || text.parse::<i64>().is_ok()
}

fn describe(value: &Value) -> String {
    const SHOWN: usize = 40;
    match value {
        Value::String(text) if text.chars().count() <= SHOWN => format!("the string {text:?}"),
        Value::String(text) => {
            let start: String = text.chars().take(SHOWN).collect();
            format!("a string that begins with {start:?}")
        }
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Integer(value) => format!("the number {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => value.kind().to_owned(),
    }
}
