//! What was wrong with a manifest, and where.
//!
//! A [`Problem`] refuses the manifest, a [`Note`] only tells of something that has no effect
//! here. Both carry the file, the place in it and the field's path as Kubernetes prints it.

use std::fmt;

/// What kind of mistake a [`Problem`] is: for programs; people read the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The file could not be read, or a folder holds no manifests.
    Read,
    /// Not UTF-8, not YAML, not JSON.
    Syntax,
    /// A bound on nesting, size or alias expansion was passed.
    Limit,
    /// A file in which there is nothing.
    Empty,
    /// `kind` is missing, misspelt, or nothing that this runtime can do anything with.
    UnknownKind,
    /// `apiVersion` is missing or does not go with `kind`.
    WrongApiVersion,
    /// A field that the type does not have.
    UnknownField,
    /// A key that stands twice in one mapping.
    DuplicateField,
    /// A string where a number belongs, and the like.
    WrongType,
    /// A field of Kubernetes that would be a lie to accept here.
    NotSupported,
    /// Two objects of one kind, namespace and name.
    DuplicateObject,
    /// The value breaks a rule of the API; the inner type is Kubernetes' own.
    Invalid(crate::field::ErrorType),
}

/// One reason why a manifest is refused.
///
/// `Display` is one line, `pod.yaml:14:9: spec.containers[0].image: Required value`; the hint is
/// apart, for a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's path as it was given, or `<stdin>`.
    pub source: String,
    /// From 1; 0 when the problem is the file as a whole.
    pub line: u32,
    /// From 1, in characters; 0 when the problem is the file as a whole.
    pub column: u32,
    /// The field as Kubernetes prints it (`spec.containers[0].image`); empty when no field is meant.
    pub path: String,
    /// What kind of mistake it is.
    pub kind: ProblemKind,
    /// The whole sentence, with the field's path in it where one is meant.
    pub message: String,
    /// What would be right, when that can be guessed.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, &self.source, self.line, self.column)?;
        f.write_str(&self.message)
    }
}

/// Something in a manifest that is accepted but has no effect, or was read in another sense than
/// its writer may expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file's path as it was given, or `<stdin>`.
    pub source: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The field that is meant, where it stands first.
    pub path: String,
    /// The whole sentence.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, &self.source, self.line, self.column)?;
        f.write_str(&self.message)
    }
}

fn place(f: &mut fmt::Formatter<'_>, source: &str, line: u32, column: u32) -> fmt::Result {
    if line == 0 { write!(f, "{source}: ") } else { write!(f, "{source}:{line}:{column}: ") }
}

/// All that was wrong with all sources; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadErrors {
    /// In the order of the sources, and within one by place.
    pub problems: Vec<Problem>,
    /// What would have been noted beside.
    pub notes: Vec<Note>,
}

/// One problem a line, each hint indented below its own.
impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
            if let Some(hint) = &problem.hint {
                write!(f, "\n    hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}
