//! YAML to nodes: one tree per document, with anchors, aliases and merge keys resolved.
//!
//! The grammar is saphyr-parser's, and where that is stricter than `kubectl`, a text that it refuses
//! gets a second try ([`relax`](super::relax)); what a scalar means is [`scalar`](super::scalar)'s.
//! Bounds: nesting ([`MAX_DEPTH`]), and what aliases may copy ([`MAX_COPIED`]), so that a file of a
//! kilobyte cannot stand for a gigabyte.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::error::SyntaxError;
use super::relax::{Relaxed, STAND_IN, relax};
use super::scalar::{self, NotFinite};
use super::stream::{Document, Duplicate, find_duplicates};
use super::text;
use crate::node::{Entry, MAX_DEPTH, Node, Position, Value};

/// How much anchors and aliases of one document may copy: a value counts one, and one more for
/// every 64 bytes of its text.
const MAX_COPIED: usize = 200_000;

/// How many values one document may hold.
const MAX_NODES: usize = 2_000_000;

/// Reads the documents of a text, which begins on `first_line` of its source.
pub(super) fn parse(text: &str, first_line: u32) -> Result<Vec<Document>, SyntaxError> {
    if let Some(error) = text::forbidden_character(text, first_line) {
        return Err(error);
    }
    let error = match read(text, first_line, None) {
        Ok(documents) => return Ok(documents),
        Err(error) => error,
    };
    let Some(relaxed) = relax(text) else {
        return Err(error);
    };
    read(text, first_line, Some(&relaxed)).map_err(|second| {
        // A quote that nobody closed swallows lines up to the next one that opens: the error that
        // follows there is far from the slip.
        let swallowed = error.message.contains("quoted scalar")
            && relaxed.has_moved(second.at.line.saturating_sub(first_line - 1));
        // Whoever got further understood more of it.
        if swallowed {
            error.hint("is its closing quote missing?")
        } else if second.at >= error.at {
            second
        } else {
            error
        }
    })
}

/// Reads a text, or what was made of it to be read more kindly.
fn read(
    text: &str,
    first_line: u32,
    relaxed: Option<&Relaxed>,
) -> Result<Vec<Document>, SyntaxError> {
    let mut builder = Builder::new(text, first_line, relaxed);
    let read = relaxed.map_or(text, |relaxed| &relaxed.text);
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(read);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => return Err(builder.scan_error(&error)),
        }
    }
    Ok(builder.documents)
}

struct Builder<'text> {
    /// As it was written.
    text: &'text str,
    first_line: u32,
    /// What is read in its place.
    relaxed: Option<&'text Relaxed>,
    documents: Vec<Document>,
    duplicates: Vec<Duplicate>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    copied: usize,
    nodes: usize,
}

/// A collection whose end is still to come.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<Key>, merged: Vec<Node> },
}

enum Key {
    Text(String, Position),
    Merge,
}

/// What an alias stands for.
struct Anchor {
    node: Node,
    weight: Weight,
}

#[derive(Clone, Copy)]
struct Weight {
    nodes: usize,
    depth: usize,
}

impl<'text> Builder<'text> {
    fn new(text: &'text str, first_line: u32, relaxed: Option<&'text Relaxed>) -> Self {
        Builder {
            text,
            first_line,
            relaxed,
            documents: Vec::new(),
            duplicates: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            copied: 0,
            nodes: 0,
        }
    }

    fn position(&self, marker: &saphyr_parser::Marker) -> Position {
        let mut at = Position::new(marker.line(), marker.col() + 1);
        if let Some(relaxed) = self.relaxed {
            at = relaxed.place(at);
        }
        at.line = at.line.saturating_add(self.first_line - 1);
        at
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let at = self.position(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                let text = if self.relaxed.is_some() && text.contains(STAND_IN) {
                    text.replace(STAND_IN, "'").into()
                } else {
                    text
                };
                if self.awaits_key() {
                    return self.scalar_key(&text, style, tag, anchor, at);
                }
                let value = resolve(&text, style, tag, at)?;
                self.complete(Node::new(at, value), anchor, at)
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Content::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => {
                let content =
                    Content::Mapping { entries: Vec::new(), key: None, merged: Vec::new() };
                self.open(at, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.copied = 0;
                self.nodes = 0;
                Ok(())
            }
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn open(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), SyntaxError> {
        if self.awaits_key() {
            return Err(self.complex_key(at));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(SyntaxError::limit(at, format!("nested more than {MAX_DEPTH} deep")));
        }
        self.open.push(Open { at, anchor, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        let Some(Open { at, anchor, content }) = self.open.pop() else {
            return Ok(());
        };
        let value = match content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { mut entries, merged, .. } => {
                find_duplicates(&mut entries, &mut self.duplicates);
                merge(&mut entries, merged)?;
                Value::Mapping(entries)
            }
        };
        self.complete(Node::new(at, value), anchor, at)
    }

    /// Puts a finished value where it belongs, and keeps a copy when it has an anchor.
    fn complete(&mut self, node: Node, anchor: usize, at: Position) -> Result<(), SyntaxError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(SyntaxError::limit(at, format!("more than {MAX_NODES} values")));
        }
        if anchor != 0 {
            let weight = weigh(&node);
            self.charge(weight.nodes, at)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), weight });
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                let duplicates = std::mem::take(&mut self.duplicates);
                self.documents.push(Document { root: node, duplicates });
            }
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { entries, key, merged }) => match key.take() {
                Some(Key::Text(key, key_at)) => entries.push(Entry { key, key_at, value: node }),
                Some(Key::Merge) => merged.push(node),
                None => return Err(self.complex_key(at)),
            },
        }
        Ok(())
    }

    fn scalar_key(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        at: Position,
    ) -> Result<(), SyntaxError> {
        let merge = style == ScalarStyle::Plain && text == "<<" && tag.is_none_or(is_merge_tag);
        let new = if merge {
            Key::Merge
        } else {
            let value = match resolve(text, style, tag, at) {
                Ok(value) => value,
                Err(_) if tag.is_none() => Value::String(text.to_owned()),
                Err(error) => return Err(error),
            };
            let Some(key) = scalar::key_text(&value) else {
                return Err(SyntaxError::new(at, "null cannot be a key")
                    .hint("put the key in quotes, or look for a stray `:`"));
            };
            if anchor != 0 {
                let node = Node::new(at, value);
                let weight = weigh(&node);
                self.charge(weight.nodes, at)?;
                self.anchors.insert(anchor, Anchor { node, weight });
            }
            Key::Text(key, at)
        };
        if let Some(Content::Mapping { key, .. }) =
            self.open.last_mut().map(|open| &mut open.content)
        {
            *key = Some(new);
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), SyntaxError> {
        let Some(Anchor { node, weight }) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::new(
                at,
                "this alias has no anchor that ends before it in the same document",
            ));
        };
        let weight = *weight;
        if self.open.len() + weight.depth > MAX_DEPTH {
            return Err(SyntaxError::limit(at, format!("nested more than {MAX_DEPTH} deep")));
        }
        let node = node.clone();
        self.charge(weight.nodes, at)?;
        if self.awaits_key() {
            let Some(text) = scalar::key_text(&node.value) else {
                return Err(self.complex_key(at));
            };
            if let Some(Content::Mapping { key, .. }) =
                self.open.last_mut().map(|open| &mut open.content)
            {
                *key = Some(Key::Text(text, at));
            }
            return Ok(());
        }
        self.complete(node, 0, at)
    }

    fn charge(&mut self, nodes: usize, at: Position) -> Result<(), SyntaxError> {
        self.copied += nodes;
        if self.copied > MAX_COPIED {
            return Err(SyntaxError::limit(
                at,
                format!("anchors and aliases stand for more than {MAX_COPIED} values"),
            ));
        }
        Ok(())
    }

    fn complex_key(&self, at: Position) -> SyntaxError {
        let error = SyntaxError::new(at, "a list or a mapping cannot be a key");
        match text::template_hint(self.text, self.first_line, at) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn scan_error(&self, error: &saphyr_parser::ScanError) -> SyntaxError {
        // The end of the text is sometimes given as the start of a line after it.
        let at = self.position(error.marker()).min(text::end_of(self.text, self.first_line));
        let found = SyntaxError::new(at, format!("invalid YAML: {}", error.info()));
        let line = text::line(self.text, self.first_line, at);
        if let Some(hint) = text::template_hint(self.text, self.first_line, at) {
            found.hint(hint)
        } else if line.len() - line.trim_start().len()
            > line.bytes().take_while(|byte| *byte == b' ').count()
        {
            found.hint("YAML is indented by spaces, not by tabs")
        } else {
            found
        }
    }
}

fn resolve(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Position,
) -> Result<Value, SyntaxError> {
    let resolved = match tag {
        None if style == ScalarStyle::Plain => scalar::resolve(text),
        None => return Ok(Value::String(text.to_owned())),
        Some(tag) if tag.is_yaml_core_schema() => scalar::resolve_tagged(&tag.suffix, text)
            .ok_or_else(|| {
                SyntaxError::new(at, format!("`{text}` cannot be read as `!!{}`", tag.suffix))
            })?,
        // A tag of somebody's own says nothing to us: the text stands for itself.
        Some(_) => return Ok(Value::String(text.to_owned())),
    };
    resolved.map_err(|NotFinite| {
        SyntaxError::new(at, format!("`{text}` is a number that JSON cannot hold"))
            .hint("put it in quotes if a string is meant")
    })
}

fn is_merge_tag(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "merge"
}

/// Adds what `<<` names, where the mapping does not say otherwise; of several the first wins.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) -> Result<(), SyntaxError> {
    if merged.is_empty() {
        return Ok(());
    }
    let mut known: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mut add = |node: Node| match node.value {
        Value::Mapping(more) => {
            entries.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
            Ok(())
        }
        _ => Err(SyntaxError::new(node.at, "`<<` merges a mapping, or a list of mappings")),
    };
    for node in merged {
        match node.value {
            Value::Sequence(items) => items.into_iter().try_for_each(&mut add)?,
            _ => add(node)?,
        }
    }
    Ok(())
}

fn weigh(node: &Node) -> Weight {
    let text = |text: &str| text.len() / 64;
    let mut weight = Weight { nodes: 1, depth: 1 };
    let mut add = |inner: &Node| {
        let inner = weigh(inner);
        weight.nodes += inner.nodes;
        weight.depth = weight.depth.max(inner.depth + 1);
    };
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {}
        Value::String(value) => weight.nodes += text(value),
        Value::Sequence(items) => items.iter().for_each(add),
        Value::Mapping(entries) => {
            let keys: usize = entries.iter().map(|entry| text(&entry.key)).sum();
            entries.iter().for_each(|entry| add(&entry.value));
            weight.nodes += keys;
        }
    }
    weight
}
