//! A whole template: text, paths, and ranges round both.

use super::error::ParseError;
use super::node::{Path, Section, Step};
use super::parse;
use super::scan::Scanner;

/// So many ranges may stand inside each other: each one without an end doubles the work.
const MOST_RANGES: usize = 16;

/// A parsed template.
///
/// ```
/// use serde_json::json;
/// use wasmpod_view::jsonpath::JsonPath;
///
/// let names = JsonPath::parse(r#"{range .items[*]}{.metadata.name}{"\n"}{end}"#)?;
/// let list = json!({ "items": [{ "metadata": { "name": "web" } }] });
/// assert_eq!(names.print(&list).unwrap(), "web\n");
/// # Ok::<(), wasmpod_view::jsonpath::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    template: String,
    pub(super) sections: Vec<Section>,
    pub(super) missing_keys: MissingKeys,
}

/// What becomes of a key that no object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingKeys {
    Nothing,
    Error,
}

impl JsonPath {
    /// Reads a template.
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse(template: &str) -> Result<Self, ParseError> {
        let mut scanner = Scanner::new(template);
        let mut open = vec![Open { over: Path::new(), body: Vec::new() }];
        loop {
            scanner.skip_while(|it| it != '{');
            let text = scanner.piece();
            let body = &mut open.last_mut().expect("the outermost never closes").body;
            if !text.is_empty() {
                body.push(Section::Text(text.to_owned()));
            }
            if !scanner.skip("{") {
                break;
            }
            scanner.piece();
            take(parse::action(&mut scanner)?, &mut open)?;
        }
        while open.len() > 1 {
            close(&mut open, false);
        }
        let sections = open.pop().map(|outermost| outermost.body).unwrap_or_default();
        let template = template.to_owned();
        Ok(Self { template, sections, missing_keys: MissingKeys::Nothing })
    }

    /// The same template, for which a key that no object has is an error:
    /// `--allow-missing-template-keys=false`.
    #[must_use]
    pub fn with_all_keys(self) -> Self {
        Self { missing_keys: MissingKeys::Error, ..self }
    }

    /// As it was given.
    pub fn template(&self) -> &str {
        &self.template
    }
}

/// A range whose end is yet to come; the first is the template itself.
struct Open {
    over: Path,
    body: Vec<Section>,
}

fn take(mut path: Path, open: &mut Vec<Open>) -> Result<(), ParseError> {
    let is = |word: &str| matches!(path.first(), Some(Step::Identifier(first)) if first == word);
    if is("range") {
        if open.len() > MOST_RANGES {
            return Err(ParseError::TooManyRanges(MOST_RANGES));
        }
        path.remove(0);
        open.push(Open { over: path, body: Vec::new() });
    } else if is("end") && path.len() == 1 {
        if open.len() > 1 {
            close(open, true);
        } else if let Some(outermost) = open.last_mut() {
            outermost.body.push(Section::StrayEnd);
        }
    } else if let Some(innermost) = open.last_mut() {
        innermost.body.push(Section::Path(path));
    }
    Ok(())
}

fn close(open: &mut Vec<Open>, is_closed: bool) {
    let Some(Open { over, body }) = open.pop() else { return };
    if let Some(outer) = open.last_mut() {
        outer.body.push(Section::Range { over, body, is_closed });
    }
}
