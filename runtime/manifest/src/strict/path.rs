//! The path of a field while the tree is walked: a list on the stack, from the leaf to the root.
//!
//! Nothing is allocated before there is something to report.

use std::fmt;

use crate::schema::Object;

#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
    /// The type of the value here, where it has fields.
    pub(super) object: Option<&'static Object>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    /// The document, or what stands before the path of an object within one (`items[0]`).
    Root(&'a str),
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    pub(crate) fn root(prefix: &'a str, object: &'static Object) -> Path<'a> {
        Path { parent: None, step: Step::Root(prefix), object: Some(object) }
    }

    pub(crate) fn field<'s>(&'s self, name: &'s str) -> Path<'s> {
        Path { parent: Some(self), step: Step::Field(name), object: None }
    }

    pub(crate) fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index), object: None }
    }

    pub(crate) fn key<'s>(&'s self, key: &'s str) -> Path<'s> {
        Path { parent: Some(self), step: Step::Key(key), object: None }
    }

    pub(crate) fn of(self, object: &'static Object) -> Path<'a> {
        Path { object: Some(object), ..self }
    }

    /// From the one that holds this up to the root.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = &Path<'a>> {
        std::iter::successors(self.parent, |path| path.parent)
    }
}

/// As Kubernetes prints it: `spec.containers[0].image`, `metadata.labels[app]`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root(prefix) => f.write_str(prefix),
            Step::Field(name) => {
                let first = self.parent.is_none_or(
                    |parent| matches!(parent.step, Step::Root(prefix) if prefix.is_empty()),
                );
                write!(f, "{}{name}", if first { "" } else { "." })
            }
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}
