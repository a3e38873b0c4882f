//! What Kubernetes says of its types and fields.
//!
//! The descriptions of its OpenAPI schema are one text in the program, which nobody reads before somebody asks:
//!
//! ```text
//! Container
//!     A single application container …
//! .name!
//!     Name of the container …
//! ```
//! A line without an indent is a type, or a field of the type above; `!` marks a field that is required.
//! `UPDATE_DOCS=1 cargo test -p wasmpod-manifest support` writes the text anew, from the sources of
//! `k8s-openapi`.
//!
//! Source: the API of Kubernetes, Apache-2.0.

const TEXT: &str = include_str!("documentation.txt");

/// What stands before each line of a description.
const INDENT: char = '\t';

/// A type, as Kubernetes describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeDocumentation {
    /// From the first line of its description to the last line of its last field's.
    text: &'static str,
}

/// A field, as Kubernetes describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldDocumentation {
    pub(super) description: String,
    pub(super) required: bool,
}

/// What is said of a type of the API, such as `Container`.
pub(super) fn of_type(name: &str) -> Option<TypeDocumentation> {
    let mut rest = TEXT;
    while !rest.is_empty() {
        let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
        let end = end_of_type(body);
        if head == name {
            return Some(TypeDocumentation { text: &body[..end] });
        }
        rest = &body[end..];
    }
    None
}

fn end_of_type(body: &str) -> usize {
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if !line.starts_with([INDENT, '.']) {
            return at;
        }
        at += line.len();
    }
    body.len()
}

impl TypeDocumentation {
    /// What is said of the type itself.
    pub(super) fn description(self) -> String {
        description(self.text)
    }

    /// What is said of one of its fields.
    pub(super) fn field(self, name: &str) -> Option<FieldDocumentation> {
        let mut lines = self.text.split_inclusive('\n');
        let mut at = 0;
        let head = lines.find(|line| {
            at += line.len();
            let own = line.trim_end().strip_prefix('.');
            own.is_some_and(|own| own.strip_suffix('!').unwrap_or(own) == name)
        })?;
        Some(FieldDocumentation {
            description: description(&self.text[at..]),
            required: head.trim_end().ends_with('!'),
        })
    }
}

/// The lines up to the next one that is none of a description.
fn description(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix(INDENT));
    lines.collect::<Vec<_>>().join("\n")
}
