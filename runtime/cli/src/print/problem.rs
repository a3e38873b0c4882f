//! Errors, warnings and notes, one a line on standard error, each hint on a line of its own.

use std::io::Write as _;

use anstyle::Style;
use wasmpod::manifest::{Note, Problem};

use super::style::{ERROR, HINT, NOTE, WARNING};

/// Problems of manifests with their places, and how many there are.
pub(crate) fn report(problems: &[Problem], notes: &[Note]) {
    for note in notes {
        self::note(&note.to_string());
    }
    for problem in problems {
        error(&problem.to_string(), problem.hint.as_deref());
    }
    if problems.len() > 1 {
        line(format_args!("{} errors", problems.len()));
    }
}

pub(crate) fn error(message: &str, hint: Option<&str>) {
    line(format_args!("{ERROR}error{ERROR:#}: {message}"));
    if let Some(hint) = hint {
        line(format_args!("  {HINT}hint{HINT:#}: {hint}"));
    }
}

pub(crate) fn warning(message: &str) {
    labelled(WARNING, "warning", message);
}

pub(crate) fn note(message: &str) {
    labelled(NOTE, "note", message);
}

pub(crate) fn labelled(style: Style, label: &str, message: &str) {
    line(format_args!("{style}{label}{style:#}: {message}"));
}

/// As it is: what kubectl says without a label.
pub(crate) fn plain(message: &str) {
    line(format_args!("{message}"));
}

/// A standard error that is gone is nobody's problem: there is no one left to tell.
fn line(text: std::fmt::Arguments<'_>) {
    drop(writeln!(anstream::stderr().lock(), "{text}"));
}
