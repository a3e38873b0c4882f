//! How a row of the table is written: a field's name, its shape, and what becomes of it.
//!
//! All of it is constant data: nothing is built at start, a lookup is a walk over some names.

use crate::node::Value;

/// A type of the API, such as `Container`.
#[derive(Debug)]
pub(crate) struct Object {
    /// The API's name for it.
    pub(crate) name: &'static str,
    /// In alphabetical order.
    pub(crate) fields: &'static [Field],
}

/// One field of a type.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) support: Support,
    pub(crate) values: Values,
}

/// To which values of a field its verdict applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    All,
    /// Not to these, which ask for what is the case anyway.
    Except(&'static [&'static str]),
    /// To those that begin so; the others are honoured, or invalid.
    Beginning(&'static str),
}

/// What becomes of a field that is set.
///
/// Nothing becomes of an empty one: null, `false`, `""`, an empty list or mapping ask for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// It has the effect that Kubernetes documents.
    Honoured,
    /// Whatever becomes of the field that holds it.
    WithParent,
    /// The API server itself sets it and drops it from input, and so do we, silently.
    System,
    /// Accepted without effect, which is said once.
    Ignored(&'static str),
    /// Refused by name: to accept it would be a lie.
    Refused(&'static str),
}

/// What a value may look like.
#[derive(Debug)]
pub(crate) enum Shape {
    Bool,
    Int32,
    Int64,
    String,
    /// A string or a number.
    Quantity,
    /// A string or a 32-bit integer.
    IntOrString,
    /// RFC 3339.
    Time,
    /// Base64.
    Bytes,
    /// Anything.
    Any,
    Object(&'static Object),
    List(&'static Shape),
    /// Any keys, with values of one shape.
    Map(&'static Shape),
    /// As `Map`, but what becomes of an entry depends on its key.
    KeyedMap(&'static Keys),
}

/// The keys of a map whose entries fare differently.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Names the map where one entry of it is spoken of.
    pub(crate) name: &'static str,
    pub(crate) known: &'static [Field],
    /// For every other key.
    pub(crate) shape: Shape,
    /// For every other key.
    pub(crate) support: Support,
}

pub(crate) const BOOL: Shape = Shape::Bool;
pub(crate) const INT32: Shape = Shape::Int32;
pub(crate) const INT64: Shape = Shape::Int64;
pub(crate) const STRING: Shape = Shape::String;
pub(crate) const QUANTITY: Shape = Shape::Quantity;
pub(crate) const INT_OR_STRING: Shape = Shape::IntOrString;
pub(crate) const TIME: Shape = Shape::Time;
pub(crate) const ANY: Shape = Shape::Any;
pub(crate) const INTS32: Shape = Shape::List(&Shape::Int32);
pub(crate) const INTS64: Shape = Shape::List(&Shape::Int64);
pub(crate) const STRINGS: Shape = Shape::List(&Shape::String);
pub(crate) const STRING_MAP: Shape = Shape::Map(&Shape::String);
pub(crate) const QUANTITY_MAP: Shape = Shape::Map(&Shape::Quantity);
pub(crate) const BYTES_MAP: Shape = Shape::Map(&Shape::Bytes);

/// A row.
pub(crate) const fn field(name: &'static str, shape: Shape, support: Support) -> Field {
    Field { name, shape, support, values: Values::All }
}

/// A row without a verdict of its own: it goes as the field that holds it goes.
pub(crate) const fn part(name: &'static str, shape: Shape) -> Field {
    field(name, shape, Support::WithParent)
}

impl Field {
    /// Exempts values that ask for what is the case anyway.
    pub(crate) const fn unless(self, values: &'static [&'static str]) -> Field {
        self.with(Values::Except(values))
    }

    /// Narrows the verdict to values that begin so.
    pub(crate) const fn only(self, beginning: &'static str) -> Field {
        self.with(Values::Beginning(beginning))
    }

    const fn with(self, values: Values) -> Field {
        Field { name: self.name, shape: self.shape, support: self.support, values }
    }
}

impl Values {
    /// Whether the verdict applies to a value, of which only text and `true` can be exempt.
    pub(crate) fn contain(self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Bool(true) => "true",
            _ => return true,
        };
        match self {
            Values::All => true,
            Values::Except(values) => !values.contains(&text),
            Values::Beginning(beginning) => text.starts_with(beginning),
        }
    }
}

impl Object {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Shape {
    /// As an error message names it.
    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Shape::Bool => "a boolean",
            Shape::Int32 => "a 32-bit integer",
            Shape::Int64 => "a 64-bit integer",
            Shape::String => "a string",
            Shape::Quantity => "a quantity (a number or a string)",
            Shape::IntOrString => "a 32-bit integer or a string",
            Shape::Time => "a time such as \"2006-01-02T15:04:05Z\"",
            Shape::Bytes => "a string in base64",
            Shape::Any => "any value",
            Shape::Object(_) | Shape::Map(_) | Shape::KeyedMap(_) => "a mapping",
            Shape::List(_) => "a list",
        }
    }
}
