//! Where problems and notes gather while sources are read.

use std::collections::HashSet;

use crate::field::FieldError;
use crate::node::Position;
use crate::problem::{Note, Problem, ProblemKind};

#[derive(Debug, Default)]
pub(crate) struct Report {
    source: String,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<Note>,
    /// Type and field of what has been noted: each is said once, wherever it comes again.
    said: HashSet<(&'static str, String)>,
}

impl Report {
    /// From here on places are those of this source.
    pub(crate) fn begin(&mut self, source: &str) {
        source.clone_into(&mut self.source);
    }

    pub(crate) fn problem(
        &mut self,
        kind: ProblemKind,
        at: Position,
        path: String,
        message: String,
        hint: Option<String>,
    ) {
        let source = self.source.clone();
        let Position { line, column } = at;
        self.problems.push(Problem { source, line, column, path, kind, message, hint });
    }

    /// A problem of the source as a whole.
    pub(crate) fn about_source(&mut self, kind: ProblemKind, message: String) {
        let at = Position { line: 0, column: 0 };
        self.problem(kind, at, String::new(), message, None);
    }

    /// A broken rule; `path` is the error's own with what stands before it in the document.
    pub(crate) fn field_error(&mut self, at: Position, path: String, error: FieldError) {
        let message = format!("{path}: {}", error.body());
        self.problem(ProblemKind::Invalid(error.kind), at, path, message, error.hint);
    }

    pub(crate) fn note(&mut self, at: Position, path: String, message: String) {
        let source = self.source.clone();
        self.notes.push(Note { source, line: at.line, column: at.column, path, message });
    }

    pub(crate) fn note_once(
        &mut self,
        (object, field): (&'static str, &str),
        at: Position,
        note: impl FnOnce() -> (String, String),
    ) {
        if self.said.insert((object, field.to_owned())) {
            let (path, message) = note();
            self.note(at, path, message);
        }
    }
}
