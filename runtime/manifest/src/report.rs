//! Where problems and notes gather while sources are read.

use std::collections::HashSet;

use crate::field::{FieldError, shortened};
use crate::node::Position;
use crate::problem::{Note, Problem, ProblemKind};
use crate::template;

/// Nobody reads more, and a file of a megabyte can hold a hundred thousand.
const MAX_PROBLEMS: usize = 1000;

/// As long as there are fewer problems than this, each is worth a search for what was meant.
const MAX_SEARCHES: usize = 100;

/// Fields and values of any length may be part of a message.
const MOST_MESSAGE: usize = 2000;

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
        if self.is_full() {
            return;
        }
        let (path, kind, message, hint) = if self.problems.len() == MAX_PROBLEMS {
            let message = format!("more than {MAX_PROBLEMS} problems: the rest is not told");
            (String::new(), ProblemKind::Limit, message, None)
        } else {
            (path, kind, shortened(&message, MOST_MESSAGE).into_owned(), hint)
        };
        let source = self.source.clone();
        let Position { line, column } = at;
        // Two rules may come to the same, as those of a label and of its deprecated namesake.
        let again = |last: &Problem| {
            (last.line, last.column, &last.source, &last.message)
                == (line, column, &source, &message)
        };
        if self.problems.last().is_some_and(again) {
            return;
        }
        self.problems.push(Problem { source, line, column, path, kind, message, hint });
    }

    /// Whether nothing more would be told.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() > MAX_PROBLEMS
    }

    /// Whether a search through the schema or the document is still worth its time.
    pub(crate) fn is_worth_a_search(&self) -> bool {
        self.problems.len() < MAX_SEARCHES
    }

    /// A problem of the source as a whole.
    pub(crate) fn about_source(&mut self, kind: ProblemKind, message: String) {
        let at = Position { line: 0, column: 0 };
        self.problem(kind, at, String::new(), message, None);
    }

    /// A broken rule; `path` is the error's own with what stands before it in the document.
    pub(crate) fn field_error(&mut self, at: Position, path: String, error: FieldError) {
        let message = format!("{path}: {}", error.body());
        let hint = error.hint.or_else(|| error.value.as_str().and_then(template::hint));
        self.problem(ProblemKind::Invalid(error.kind), at, path, message, hint);
    }

    pub(crate) fn note(&mut self, at: Position, path: String, message: String) {
        let source = self.source.clone();
        let message = shortened(&message, MOST_MESSAGE).into_owned();
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
