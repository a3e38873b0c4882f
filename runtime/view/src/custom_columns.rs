//! A table with columns of one's own: `-o custom-columns=NAME:.metadata.name`.
//!
//! Rule: the custom columns printer of `kubectl get`.

use serde_json::Value;
use thiserror::Error;

use crate::jsonpath::{EvaluateError, JsonPath, ParseError, RelaxedError, relaxed};
use crate::{escape, go, tabs};

/// The columns, from the left.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomColumns {
    columns: Vec<(String, JsonPath)>,
    no_headers: bool,
}

/// Why columns are none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ColumnsError {
    /// Nothing is given.
    #[error("custom-columns format specified but no custom columns given")]
    None,
    /// A part of the list has no colon.
    #[error("unexpected custom-columns spec: {0}, expected <header>:<json-path-expr>")]
    NoPath(String),
    /// The path of a column.
    #[error(transparent)]
    Relaxed(#[from] RelaxedError),
    /// The path of a column.
    #[error(transparent)]
    Path(#[from] ParseError),
    /// The file lacks one of its two lines.
    #[error(
        "invalid template, missing {0} line. Expected format is one line of space separated \
         headers, one line of space separated column specs."
    )]
    MissingLine(&'static str),
    /// The two lines of the file do not fit together.
    #[error("number of headers ({headers}) and field specifications ({paths}) don't match")]
    Uneven {
        /// In the first line.
        headers: usize,
        /// In the second.
        paths: usize,
    },
}

impl CustomColumns {
    /// Reads `NAME:.metadata.name,PHASE:.status.phase`.
    ///
    /// # Errors
    /// See [`ColumnsError`].
    pub fn parse(text: &str, no_headers: bool) -> Result<Self, ColumnsError> {
        if text.is_empty() {
            return Err(ColumnsError::None);
        }
        let column = |part: &str| {
            let (header, path) =
                part.split_once(':').ok_or_else(|| ColumnsError::NoPath(part.to_owned()))?;
            Ok((header.to_owned(), parsed(path)?))
        };
        let columns = text.split(',').map(column).collect::<Result<_, ColumnsError>>()?;
        Ok(Self { columns, no_headers })
    }

    /// Reads a file of two lines: the headers, and below them the paths.
    ///
    /// # Errors
    /// See [`ColumnsError`].
    pub fn parse_file(text: &str, no_headers: bool) -> Result<Self, ColumnsError> {
        let mut lines = text.lines();
        let headers = lines.next().ok_or(ColumnsError::MissingLine("header"))?;
        let paths = lines.next().ok_or(ColumnsError::MissingLine("spec"))?;
        let headers: Vec<&str> = headers.split_whitespace().collect();
        let paths: Vec<&str> = paths.split_whitespace().collect();
        if headers.len() != paths.len() {
            return Err(ColumnsError::Uneven { headers: headers.len(), paths: paths.len() });
        }
        let columns = headers
            .into_iter()
            .zip(paths)
            .map(|(header, path)| Ok((header.to_owned(), parsed(path)?)))
            .collect::<Result<_, ColumnsError>>()?;
        Ok(Self { columns, no_headers })
    }

    /// The table of the objects.
    ///
    /// # Errors
    /// A path asks for what is not there, as an index outside of its list.
    pub fn to_text(&self, objects: &[Value]) -> Result<String, EvaluateError> {
        let mut text = String::new();
        if !self.no_headers {
            let headers: Vec<&str> = self.columns.iter().map(|(header, _)| &**header).collect();
            text += &(headers.join("\t") + "\n");
        }
        for object in objects {
            let cells = self.columns.iter().map(|(_, path)| cell(path, object));
            text += &(cells.collect::<Result<Vec<_>, _>>()?.join("\t") + "\n");
        }
        Ok(tabs::TABLE.align(&text))
    }
}

fn parsed(path: &str) -> Result<JsonPath, ColumnsError> {
    Ok(JsonPath::parse(&relaxed(path)?)?)
}

fn cell(path: &JsonPath, object: &Value) -> Result<String, EvaluateError> {
    let found = path.find(object)?;
    let is_none = found.first().is_none_or(Vec::is_empty);
    let none = is_none.then(|| "<none>".to_owned());
    let texts =
        found.iter().flatten().map(|value| escape::terminal(&go::display(value)).into_owned());
    Ok(none.into_iter().chain(texts).collect::<Vec<_>>().join(","))
}
