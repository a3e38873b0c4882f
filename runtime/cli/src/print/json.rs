//! JSON lines for programs.

use std::io::{self, Write as _};

use serde_json::{Value, json};
use wasmpod::manifest::{Note, Problem};

/// Problems and notes of manifests, one object a line.
pub(crate) fn problems(problems: &[Problem], notes: &[Note]) {
    for problem in problems {
        line(&json!({
            "type": "error",
            "source": problem.source,
            "line": problem.line,
            "column": problem.column,
            "path": problem.path,
            "kind": format!("{:?}", problem.kind),
            "message": problem.message,
            "hint": problem.hint,
        }));
    }
    for note in notes {
        line(&json!({
            "type": "note",
            "source": note.source,
            "line": note.line,
            "column": note.column,
            "path": note.path,
            "message": note.message,
        }));
    }
}

/// A reader that has gone away ends the output quietly.
pub(crate) fn line(value: &Value) {
    drop(try_line(value));
}

/// # Errors
/// The reader has gone away, most likely.
pub(crate) fn try_line(value: &Value) -> io::Result<()> {
    // In one write, so that the lines of several processes stay whole.
    io::stdout().lock().write_all(format!("{value}\n").as_bytes())
}
