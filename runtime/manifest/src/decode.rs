//! From a checked tree to the types of k8s-openapi.
//!
//! The schema has been checked before ([`strict`](crate::strict)), so that little can go wrong
//! here. Null stands for the zero value of whatever is asked for, as it does in Go: a wrong value
//! that was reported and replaced by null does not stop the rest from being read.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::node::{Entry, Node, Position, Value};

/// Builds a value of a Kubernetes type.
pub(crate) fn decode<'node, T: Deserialize<'node>>(node: &'node Node) -> Result<T, DecodeError> {
    T::deserialize(node).map_err(|error| error.or_at(node.at))
}

/// What a type refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecodeError {
    pub(crate) at: Option<Position>,
    pub(crate) message: String,
}

impl DecodeError {
    /// The innermost value that knows its place names it.
    fn or_at(self, at: Position) -> DecodeError {
        DecodeError { at: self.at.or(Some(at)), ..self }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<Message: fmt::Display>(message: Message) -> Self {
        DecodeError { at: None, message: message.to_string() }
    }
}

impl<'node> IntoDeserializer<'node, DecodeError> for &'node Node {
    type Deserializer = &'node Node;

    fn into_deserializer(self) -> &'node Node {
        self
    }
}

/// A key with its value, in the form that serde's map reader takes.
fn pair(entry: &Entry) -> (&str, &Node) {
    (entry.key.as_str(), &entry.value)
}

impl<'node> Deserializer<'node> for &'node Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Sequence(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Value::Mapping(entries) => {
                visitor.visit_map(MapDeserializer::new(entries.iter().map(pair)))
            }
        };
        result.map_err(|error| error.or_at(self.at))
    }

    fn deserialize_option<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_bool(false),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i32<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_i32(0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_i64(0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_borrowed_str(""),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<&Node>())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'node>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => {
                let none = std::iter::empty::<(&str, &Node)>();
                visitor.visit_map(MapDeserializer::new(none))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'node>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'node>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match (name, &self.value) {
            // A quantity may be written as a number; the type holds its text.
            ("Quantity", Value::Integer(_) | Value::Float(_)) => {
                let text = number_text(&self.value);
                let deserializer: StrDeserializer<'_, DecodeError> =
                    text.as_str().into_deserializer();
                visitor
                    .visit_newtype_struct(deserializer)
                    .map_err(|error: DecodeError| error.or_at(self.at))
            }
            ("Quantity", Value::Null) => {
                visitor.visit_newtype_struct(StrDeserializer::<DecodeError>::new("0"))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'node>>
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct enum identifier ignored_any
    }
}

/// A number as Go's JSON encoder prints it.
fn number_text(value: &Value) -> String {
    match value {
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) if float.abs() < 1e-6 || float.abs() >= 1e21 => format!("{float:e}"),
        Value::Float(float) => float.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Container;
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

    use super::*;

    fn node(value: Value) -> Node {
        Node::new(Position { line: 3, column: 7 }, value)
    }

    #[test]
    fn null_is_the_zero_value_of_everything() {
        let null = node(Value::Null);
        assert_eq!(decode::<Container>(&null), Ok(Container::default()));
        assert_eq!(decode::<String>(&null), Ok(String::new()));
        assert_eq!(decode::<Vec<i32>>(&null), Ok(Vec::new()));
        assert_eq!(decode::<Option<bool>>(&null), Ok(None));
        assert_eq!(decode::<i64>(&null), Ok(0));
        assert_eq!(decode(&null), Ok(Quantity("0".to_owned())));
    }

    #[test]
    fn a_quantity_may_be_a_number() {
        assert_eq!(decode(&node(Value::Integer(2))), Ok(Quantity("2".to_owned())));
        assert_eq!(decode(&node(Value::Float(0.5))), Ok(Quantity("0.5".to_owned())));
        assert_eq!(decode(&node(Value::Float(1e-7))), Ok(Quantity("1e-7".to_owned())));
    }

    #[test]
    fn what_a_type_refuses_has_a_place() {
        let error = decode::<Vec<i32>>(&node(Value::Sequence(vec![Node::new(
            Position { line: 9, column: 2 },
            Value::String("x".to_owned()),
        )])))
        .unwrap_err();
        assert_eq!(error.at, Some(Position { line: 9, column: 2 }));
        assert!(error.message.contains("invalid type: string \"x\""), "{error}");
    }
}
