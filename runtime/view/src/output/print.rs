//! From a format and objects to text.

use serde_json::Value;
use thiserror::Error;

use super::format::Format;
use super::list::Shown;
use super::{json, name, yaml};
use crate::jsonpath::{EvaluateError, JsonPath};

/// Why objects cannot be shown as asked. kubectl has the cause on the same line, so it is no source.
#[derive(Debug, Error)]
pub enum PrintError {
    /// The template asks for what is not there.
    #[error("error executing jsonpath {template:?}: Error executing template: {cause}")]
    JsonPath {
        /// As it was given.
        template: String,
        /// Why.
        cause: EvaluateError,
    },
    /// A column asks for what is not there.
    #[error(transparent)]
    Column(#[from] EvaluateError),
}

impl Format {
    /// The text, or none for the two formats that are tables. Nothing is added to what a template
    /// says, not even a line break.
    ///
    /// # Errors
    /// A template or a column asks for what is not there.
    pub fn print(&self, shown: Shown<'_>) -> Result<Option<String>, PrintError> {
        let failed = |path: &JsonPath| {
            let template = path.template().to_owned();
            |cause| PrintError::JsonPath { template, cause }
        };
        Ok(Some(match self {
            Self::Table | Self::Wide => return Ok(None),
            Self::Json => to_json(&shown.to_value()),
            Self::Yaml => to_yaml(&shown.to_value()),
            Self::Name => shown.objects().iter().map(|object| name(object) + "\n").collect(),
            Self::JsonPath(path) => path.print(&shown.to_value()).map_err(failed(path))?,
            Self::JsonPathAsJson(path) => {
                path.print_as_json(&shown.to_value()).map_err(failed(path))?
            }
            Self::CustomColumns(columns) => columns.to_text(shown.objects())?,
        }))
    }
}

/// JSON as kubectl prints it, with a line break at its end.
pub fn to_json(value: &Value) -> String {
    json::pretty(value) + "\n"
}

/// YAML as kubectl prints it, with a line break at its end.
pub fn to_yaml(value: &Value) -> String {
    yaml::to_string(value)
}
