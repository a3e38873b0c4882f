//! The value of `-o`.
//!
//! Rule: the print flags of `kubectl get`.

use std::io;

use thiserror::Error;

use crate::custom_columns::{self, CustomColumns};
use crate::jsonpath::{self, JsonPath};

/// How objects are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// As a table; no `-o` at all.
    Table,
    /// As a table with all its columns.
    Wide,
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
    /// As `pod/web`.
    Name,
    /// As a template says.
    JsonPath(JsonPath),
    /// As the results of a template, in JSON.
    JsonPathAsJson(JsonPath),
    /// As a table with columns of one's own.
    CustomColumns(CustomColumns),
}

/// Why the value of `-o` says nothing. kubectl has the cause on the same line, so it is no source.
#[derive(Debug, Error)]
pub enum FormatError {
    /// No such format.
    #[error(
        "unable to match a printer suitable for the output format {0:?}, allowed formats are: \
         custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,\
         wide,yaml"
    )]
    Unknown(String),
    /// A format of kubectl's that stays away: templates in a language of Go's.
    #[error("output format {0:?} is not supported: use -o jsonpath=... or -o custom-columns=...")]
    GoTemplate(String),
    /// `jsonpath` alone.
    #[error("template format specified but no template given")]
    NoTemplate,
    /// The file with the template.
    #[error("error reading --template {path}, {cause}")]
    TemplateFile {
        /// As it was given.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The file with the columns.
    #[error("error reading template {path}, {cause}")]
    ColumnsFile {
        /// As it was given.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The template does not parse.
    #[error("error parsing jsonpath {template}, {cause}")]
    JsonPath {
        /// As it was given.
        template: String,
        /// Why.
        cause: jsonpath::ParseError,
    },
    /// The columns do not parse.
    #[error(transparent)]
    CustomColumns(#[from] custom_columns::ColumnsError),
}

impl Format {
    /// Reads the value of `-o`; `read` reads the file that it names, if it names one. `no_headers`
    /// is the flag of that name.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(
        text: &str,
        no_headers: bool,
        read: impl FnOnce(&str) -> io::Result<String>,
    ) -> Result<Self, FormatError> {
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let template = || argument.filter(|it| !it.is_empty()).ok_or(FormatError::NoTemplate);
        Ok(match (name, argument) {
            ("", None) => Self::Table,
            ("wide", None) => Self::Wide,
            ("json", None) => Self::Json,
            ("yaml", None) => Self::Yaml,
            ("name", None) => Self::Name,
            ("jsonpath", _) => Self::JsonPath(parsed(template()?)?),
            ("jsonpath-as-json", _) => Self::JsonPathAsJson(parsed(template()?)?),
            ("jsonpath-file", _) => {
                let path = template()?;
                let text = read(path)
                    .map_err(|cause| FormatError::TemplateFile { path: path.to_owned(), cause })?;
                Self::JsonPath(parsed(&text)?)
            }
            ("custom-columns", _) => {
                Self::CustomColumns(CustomColumns::parse(argument.unwrap_or_default(), no_headers)?)
            }
            ("custom-columns-file", argument) => {
                let path = argument.unwrap_or_default();
                if path.is_empty() {
                    return Err(custom_columns::ColumnsError::None.into());
                }
                let text = read(path)
                    .map_err(|cause| FormatError::ColumnsFile { path: path.to_owned(), cause })?;
                Self::CustomColumns(CustomColumns::parse_file(&text, no_headers)?)
            }
            ("go-template" | "go-template-file" | "template" | "templatefile", _) => {
                return Err(FormatError::GoTemplate(name.to_owned()));
            }
            (_, _) => return Err(FormatError::Unknown(text.to_owned())),
        })
    }
}

fn parsed(template: &str) -> Result<JsonPath, FormatError> {
    JsonPath::parse(template)
        .map_err(|cause| FormatError::JsonPath { template: template.to_owned(), cause })
}
