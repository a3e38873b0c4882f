//! A field as `wasmpod explain FIELD` prints it.
//!
//! Rule: the page of `kubectl explain`, with what becomes of each field behind its type.

use std::fmt;

use super::explain::{Entry, Explanation};
use super::render::{why, word};
use super::rows::{Values, Verdict};

/// Columns of a description, behind its indent.
const WIDTH: usize = 76;

/// The field and the fields directly below it, described; [`Depth::All`](super::Depth::All) gives the
/// tree of all below it, in a line each.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((group, _)) = self.api_version.split_once('/') {
            writeln!(f, "GROUP:      {group}")?;
        }
        writeln!(f, "KIND:       {}", self.kind)?;
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        writeln!(f, "VERSION:    {version}\n")?;
        if !self.path.is_empty() {
            writeln!(f, "FIELD: {} <{}>", last_step(&self.path), self.type_name)?;
            write!(f, "SUPPORT: {}", support(self.verdict, self.values))?;
            if let Some(above) = &self.because_of {
                write!(f, " (as all of {above})")?;
            }
            writeln!(f, "\n")?;
        }
        writeln!(f, "DESCRIPTION:")?;
        describe(f, &self.description)?;
        if self.fields.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nFIELDS:")?;
        let is_tree = self.fields.iter().any(|entry| !entry.fields.is_empty());
        if is_tree { tree(f, &self.fields, 1) } else { list(f, &self.fields) }
    }
}

fn list(f: &mut fmt::Formatter<'_>, fields: &[Entry]) -> fmt::Result {
    for entry in fields {
        head(f, entry, 1)?;
        describe(f, &entry.description)?;
        writeln!(f)?;
    }
    Ok(())
}

fn tree(f: &mut fmt::Formatter<'_>, fields: &[Entry], depth: usize) -> fmt::Result {
    for entry in fields {
        head(f, entry, depth)?;
        tree(f, &entry.fields, depth + 1)?;
    }
    Ok(())
}

fn head(f: &mut fmt::Formatter<'_>, entry: &Entry, depth: usize) -> fmt::Result {
    let Entry { name, type_name, verdict, values, required, .. } = entry;
    let required = if *required { " -required-" } else { "" };
    let support = support(*verdict, *values);
    writeln!(f, "{:indent$}{name}\t<{type_name}>{required}\t{support}", "", indent = 2 * depth)
}

/// `honoured`, `refused: why`.
fn support(verdict: Verdict, values: Values) -> String {
    let why = why(verdict, values, '"');
    match why.trim_start() {
        "" => word(verdict).to_owned(),
        why => format!("{}: {why}", word(verdict)),
    }
}

fn describe(f: &mut fmt::Formatter<'_>, description: &str) -> fmt::Result {
    if description.is_empty() {
        return writeln!(f, "    <empty>");
    }
    for paragraph in description.lines() {
        for line in wrapped(paragraph) {
            writeln!(f, "{}", format!("    {line}").trim_end())?;
        }
    }
    Ok(())
}

/// Lines of whole words, as long as [`WIDTH`] where a word is no longer than that.
fn wrapped(paragraph: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `resources` of `spec.containers[].resources`, `limits[nvidia.com/gpu]`: a key may hold dots.
fn last_step(path: &str) -> &str {
    let mut is_key = false;
    let mut begin = 0;
    for (at, character) in path.char_indices() {
        match character {
            '[' => is_key = true,
            ']' => is_key = false,
            '.' if !is_key => begin = at + 1,
            _ => {}
        }
    }
    path[begin..].trim_end_matches("[]")
}
