//! The table, flattened to one row for each field that has a verdict of its own.

use crate::schema::{self, Object, POD, SERVICE, Shape, Support};

/// What becomes of a field that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It has the effect that Kubernetes documents.
    Honoured,
    /// Set by the API server; dropped from input without a word, as the API server drops it.
    SetBySystem,
    /// Accepted without effect, for the reason given; a note says so once.
    Ignored(&'static str),
    /// Refused with an error, for the reason given.
    Refused(&'static str),
}

/// To which values of a field its verdict applies; the others are honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Values {
    /// To all.
    All,
    /// Not to these, which ask for what is the case anyway.
    Except(&'static [&'static str]),
    /// To those that begin so.
    Beginning(&'static str),
}

impl From<schema::Values> for Values {
    fn from(values: schema::Values) -> Self {
        match values {
            schema::Values::All => Values::All,
            schema::Values::Except(values) => Values::Except(values),
            schema::Values::Beginning(beginning) => Values::Beginning(beginning),
        }
    }
}

/// One field of an object; it speaks for all fields below it that have no row of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    /// The kind of object: `Pod` or `Service`.
    pub kind: &'static str,
    /// `spec.containers[].image`; `limits[cpu]` for one key of a map, `limits[*]` for all others.
    pub path: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// To which values the verdict applies.
    pub values: Values,
}

impl Row {
    /// The field as [`explain`](super::explain) takes it: a Pod is what is meant where no kind is
    /// named.
    pub fn field(&self) -> String {
        if self.kind == POD.name {
            self.path.clone()
        } else {
            format!("{}.{}", self.kind.to_lowercase(), self.path)
        }
    }
}

/// All rows of a Pod and then of a Service, in the order of the table.
///
/// Below a field that is not honoured nothing has a row. A type that stands in several places
/// (init containers are containers) is written out at the first and referred to by the others.
pub fn rows() -> Vec<Row> {
    let mut walk = Walk { rows: Vec::new(), kind: POD.name, written: Vec::new() };
    for kind in [&POD, &SERVICE] {
        walk.kind = kind.name;
        walk.object(kind, "");
    }
    walk.rows
}

struct Walk {
    rows: Vec<Row>,
    kind: &'static str,
    written: Vec<&'static str>,
}

impl Walk {
    fn object(&mut self, object: &'static Object, prefix: &str) {
        for field in object.fields {
            let path = if prefix.is_empty() {
                field.name.to_owned()
            } else {
                format!("{prefix}.{}", field.name)
            };
            let below = self.row(&path, field.support, field.values);
            if below {
                self.shape(&field.shape, &path);
            }
        }
    }

    /// Adds a row where there is a verdict; tells whether the fields below have a say.
    fn row(&mut self, path: &str, support: Support, values: schema::Values) -> bool {
        let verdict = match support {
            Support::WithParent => return true,
            Support::Honoured => Verdict::Honoured,
            Support::System => Verdict::SetBySystem,
            Support::Ignored(reason) => Verdict::Ignored(reason),
            Support::Refused(reason) => Verdict::Refused(reason),
        };
        let (kind, path) = (self.kind, path.to_owned());
        self.rows.push(Row { kind, path, verdict, values: values.into() });
        verdict == Verdict::Honoured
    }

    fn shape(&mut self, shape: &'static Shape, path: &str) {
        match shape {
            Shape::Object(object) => {
                if !self.written.contains(&object.name) {
                    self.written.push(object.name);
                    self.object(object, path);
                }
            }
            Shape::List(item) => self.shape(item, &format!("{path}[]")),
            Shape::Map(value) => self.shape(value, path),
            Shape::KeyedMap(keys) => {
                for known in keys.known {
                    self.row(&format!("{path}[{}]", known.name), known.support, known.values);
                }
                self.row(&format!("{path}[*]"), keys.support, schema::Values::All);
            }
            Shape::Bool
            | Shape::Int32
            | Shape::Int64
            | Shape::String
            | Shape::Quantity
            | Shape::IntOrString
            | Shape::Time
            | Shape::Bytes
            | Shape::Any => {}
        }
    }
}
