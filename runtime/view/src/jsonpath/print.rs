//! The text of what a template finds.

use serde_json::Value;

use super::error::EvaluateError;
use super::template::JsonPath;
use crate::go;
use crate::output::json;

impl JsonPath {
    /// The template with the values in it: the finds of one path with blanks between them, maps and
    /// lists as JSON.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn print(&self, object: &Value) -> Result<String, EvaluateError> {
        let mut text = String::new();
        for found in self.find(object)? {
            let texts: Vec<String> = found.iter().map(|value| to_text(value)).collect();
            text.push_str(&texts.join(" "));
        }
        Ok(text)
    }

    /// The finds of each text and path as a JSON list.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn print_as_json(&self, object: &Value) -> Result<String, EvaluateError> {
        let mut text = String::new();
        for found in self.find(object)? {
            let found = found.into_iter().map(|value| value.into_owned()).collect();
            text += &(json::pretty(&Value::Array(found)) + "\n");
        }
        Ok(text)
    }
}

fn to_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) | Value::Object(_) => json::compact(value),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => go::display(value),
    }
}
