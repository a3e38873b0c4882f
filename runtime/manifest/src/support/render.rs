//! Rows to text for a terminal and to Markdown for the docs.

use std::fmt::Write as _;

use super::rows::{Row, Values, Verdict, rows};

const INTRODUCTION: &str = "\
<!-- Generated from the table in runtime/manifest/src/schema; do not edit.
     UPDATE_DOCS=1 cargo test -p wasmpod-manifest support -->

# What becomes of each field of a Pod and of a Service

Every field of these two in the API of Kubernetes 1.37 is one of these:

- **honoured**: it does what Kubernetes documents;
- **ignored**: it is accepted without effect, and a note says so once;
- **refused**: the manifest is refused with the field's name, since to accept it would be a lie;
- **set by the system**: an API server sets it; it is dropped from input without a word.

An empty value (null, `false`, `\"\"`, an empty list or mapping) asks for nothing and is always
accepted. A field that is not listed goes as the nearest listed one above it. What stands here for
`spec.containers[]` holds for `spec.initContainers[]` too, and so for every type that stands in
several places, as `metadata` does.
";

/// For `docs/manifest-support.md`.
pub fn markdown() -> String {
    let rows = rows();
    let mut sections: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in &rows {
        let title = title_of(row);
        match sections.iter_mut().find(|(known, _)| *known == title) {
            Some((_, section)) => section.push(row),
            None => sections.push((title, vec![row])),
        }
    }
    let mut page = INTRODUCTION.to_owned();
    for (title, section) in sections {
        let _ = write!(page, "\n## {title}\n\n| field | | why |\n|---|---|---|\n");
        for row in section {
            let line = format!(
                "| `{}` | {} | {}",
                row.path,
                word(row.verdict),
                why(row.verdict, row.values, '`')
            );
            let _ = writeln!(page, "{} |", line.trim_end());
        }
    }
    page
}

/// For a terminal: one line a field, in columns; a field of a Service begins with `service.`.
pub fn text() -> String {
    let rows = rows();
    let fields: Vec<String> = rows.iter().map(Row::field).collect();
    let width = fields.iter().map(String::len).max().unwrap_or_default();
    let mut page = String::new();
    for (row, field) in rows.iter().zip(&fields) {
        let line = format!(
            "{:width$}  {:8}  {}",
            field,
            word(row.verdict),
            why(row.verdict, row.values, '"')
        );
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

/// Sections follow the kind and the top of the path: `metadata`, `spec`, and the lists of spec.
fn title_of(row: &Row) -> String {
    let mut steps = row.path.split('.');
    let first = steps.next().unwrap_or_default();
    let top = match (first, steps.next(), steps.next()) {
        ("metadata", Some(_), _) => "metadata".to_owned(),
        ("spec", Some(second), Some(_)) => format!("spec.{second}"),
        ("spec", Some(_), None) => "spec".to_owned(),
        _ => return row.kind.to_owned(),
    };
    format!("{}: {top}", row.kind)
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Honoured => "honoured",
        Verdict::SetBySystem => "system",
        Verdict::Ignored(_) => "ignored",
        Verdict::Refused(_) => "refused",
    }
}

pub(super) fn why(verdict: Verdict, values: Values, quote: char) -> String {
    let mut why = match verdict {
        Verdict::Honoured | Verdict::SetBySystem => String::new(),
        Verdict::Ignored(reason) | Verdict::Refused(reason) => reason.to_owned(),
    };
    let quoted = |value: &str| format!("{quote}{value}{quote}");
    match values {
        Values::All => {}
        Values::Except(values) => {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            let _ = write!(why, " (not for {})", values.join(" and "));
        }
        Values::Beginning(beginning) => {
            let _ = write!(why, " (for {} only)", quoted(beginning));
        }
    }
    why
}
