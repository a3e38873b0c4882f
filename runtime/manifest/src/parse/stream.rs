//! A source to its documents: where one ends and the next begins, and which is JSON.
//!
//! As `kubectl` does it: a line `---` parts documents before anything is parsed, so that an error
//! in one does not hide those of the next. A document that begins with `{` is tried as JSON, of
//! which several texts may follow one another; what fails there may still be YAML in flow style
//! (KYAML).

use std::collections::HashMap;

use super::error::SyntaxError;
use super::{json, text, yaml};
use crate::node::{Entry, Node, Position};
use crate::problem::ProblemKind;

/// One document of a source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) root: Node,
    /// Keys that stood more than once; the tree holds the first of each.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// A key that stands twice in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Duplicate {
    pub(crate) key: String,
    pub(crate) first: Position,
    pub(crate) second: Position,
}

/// All documents of a source, and what kept others from being read.
pub(crate) fn documents(bytes: &[u8]) -> (Vec<Document>, Vec<SyntaxError>) {
    let text = match text::decode(bytes) {
        Ok(text) => text,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let mut documents = Vec::new();
    let mut errors = Vec::new();
    for chunk in split(&text) {
        match parse(&chunk) {
            Ok(parsed) => documents.extend(parsed),
            Err(error) => errors.push(error),
        }
    }
    (documents, errors)
}

fn parse(chunk: &Chunk<'_>) -> Result<Vec<Document>, SyntaxError> {
    let chunk = chunk.without_mark();
    let content = chunk.content();
    if !content.text.trim_start().starts_with('{') {
        return yaml::parse(chunk.text, chunk.first_line);
    }
    match json::parse(content.text, content.first_line) {
        Ok(documents) => Ok(documents),
        Err(error) if error.kind == ProblemKind::Limit => Err(error),
        Err(json_error) => yaml::parse(chunk.text, chunk.first_line).map_err(|yaml_error| {
            // Whoever got further understood more of it.
            if json_error.at >= yaml_error.at { json_error } else { yaml_error }
        }),
    }
}

/// Some whole lines of a source.
struct Chunk<'text> {
    text: &'text str,
    first_line: u32,
}

impl<'text> Chunk<'text> {
    /// From behind a byte order mark that follows the separator: `cat` puts files together so.
    fn without_mark(&self) -> Chunk<'text> {
        if let Some((line, rest)) = self.text.split_once('\n')
            && is_separator(line.trim_end())
            && let Some(text) = rest.strip_prefix('\u{feff}')
        {
            return Chunk { text, first_line: self.first_line + 1 };
        }
        Chunk { text: self.text, first_line: self.first_line }
    }

    /// From the first line that is not empty, a comment or a separator.
    fn content(&self) -> Chunk<'text> {
        let mut content = Chunk { text: self.text, first_line: self.first_line };
        while let Some((line, rest)) = content.text.split_once('\n') {
            let line = line.trim();
            if !(line.is_empty() || line.starts_with('#') || is_separator(line)) {
                break;
            }
            content = Chunk { text: rest, first_line: content.first_line + 1 };
        }
        content
    }
}

/// Parts a text at its lines `---`; each goes with the document that it opens.
fn split(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let mut offset = 0;
    // Directives belong to the document whose `---` follows them.
    let (mut only_head, mut directive) = (true, false);
    for (line, number) in text.split_inclusive('\n').zip(1u32..) {
        if is_separator(line.trim_end()) {
            if offset > start && !(only_head && directive) {
                chunks.push(Chunk { text: &text[start..offset], first_line });
                (start, first_line) = (offset, number);
            }
            (only_head, directive) = (false, false);
        } else if only_head {
            directive |= line.starts_with('%');
            only_head = line.starts_with(['%', '#']) || line.trim().is_empty();
        }
        offset += line.len();
    }
    chunks.push(Chunk { text: &text[start..], first_line });
    chunks
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#')
    })
}

/// Takes out every entry whose key was there before.
pub(super) fn find_duplicates(entries: &mut Vec<Entry>, duplicates: &mut Vec<Duplicate>) {
    // A mapping of a manifest has a handful of keys; a hash table pays from there on.
    const FEW: usize = 12;
    let twice = if entries.len() <= FEW {
        entries
            .iter()
            .enumerate()
            .any(|(index, entry)| entries[..index].iter().any(|earlier| earlier.key == entry.key))
    } else {
        let mut seen = std::collections::HashSet::with_capacity(entries.len());
        entries.iter().any(|entry| !seen.insert(entry.key.as_str()))
    };
    if !twice {
        return;
    }
    let mut first_places: HashMap<String, Position> = HashMap::new();
    entries.retain(|entry| match first_places.get(&entry.key) {
        Some(first) => {
            duplicates.push(Duplicate {
                key: entry.key.clone(),
                first: *first,
                second: entry.key_at,
            });
            false
        }
        None => {
            first_places.insert(entry.key.clone(), entry.key_at);
            true
        }
    });
}
