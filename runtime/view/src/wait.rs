//! What `kubectl wait --for` waits for, and whether it has come.
//!
//! Rule: `pkg/cmd/wait` of kubectl.

use serde_json::Value;
use thiserror::Error;

use crate::go;
use crate::jsonpath::{EvaluateError, JsonPath, ParseError, RelaxedError, relaxed};

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitFor {
    /// The object is gone.
    Delete,
    /// The object is there.
    Create,
    /// A condition of its status, with the value that it must have; both in any case.
    Condition {
        /// Its type.
        name: String,
        /// Its status.
        value: String,
    },
    /// What a path finds, with the text that it must be; none: anything.
    JsonPath {
        /// In the object.
        path: JsonPath,
        /// Without blanks round it.
        value: Option<String>,
    },
}

/// Why the value of `--for` says nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WaitForError {
    /// None of the four.
    #[error("unrecognized condition: {0:?}")]
    Unrecognized(String),
    /// More than one equal sign behind the path.
    #[error(
        "jsonpath wait format must be --for=jsonpath='{{.status.readyReplicas}}'=3 or \
         --for=jsonpath='{{.status.readyReplicas}}'"
    )]
    JsonPathForm,
    /// Nothing behind the equal sign.
    #[error(
        "jsonpath wait has to have a value after equal sign, like \
         --for=jsonpath='{{.status.readyReplicas}}'=3"
    )]
    NoValue,
    /// No path.
    #[error("jsonpath expression cannot be empty")]
    NoPath,
    /// The path.
    #[error(transparent)]
    Relaxed(#[from] RelaxedError),
    /// The path.
    #[error(transparent)]
    Path(#[from] ParseError),
}

/// Why nobody can say whether it has come.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WaitError {
    /// The path asks for what is not there.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The template has several paths.
    #[error("given jsonpath expression matches more than one list")]
    SeveralLists,
    /// The path finds several values.
    #[error("given jsonpath expression matches more than one value")]
    SeveralValues,
    /// A map or a list is compared to a text.
    #[error("jsonpath leads to a nested object or list which is not supported")]
    Nested,
}

impl WaitFor {
    /// Reads the value of `--for`.
    ///
    /// # Errors
    /// See [`WaitForError`].
    pub fn parse(text: &str) -> Result<Self, WaitForError> {
        if text.eq_ignore_ascii_case("delete") {
            return Ok(Self::Delete);
        }
        if text.eq_ignore_ascii_case("create") {
            return Ok(Self::Create);
        }
        if let Some(condition) = text.strip_prefix("condition=") {
            let (name, value) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Self::Condition { name: name.to_owned(), value: value.to_owned() });
        }
        match text.strip_prefix("jsonpath=") {
            Some(input) => json_path(input),
            None => Err(WaitForError::Unrecognized(text.to_owned())),
        }
    }

    /// Whether it has come, as far as `object` tells: none is an object that is not there.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub fn is_met(&self, object: Option<&Value>) -> Result<bool, WaitError> {
        match (self, object) {
            (Self::Delete, object) => Ok(object.is_none()),
            (Self::Create, object) => Ok(object.is_some()),
            (Self::Condition { .. } | Self::JsonPath { .. }, None) => Ok(false),
            (Self::Condition { name, value }, Some(object)) => {
                Ok(condition_is_met(name, value, object))
            }
            (Self::JsonPath { path, value }, Some(object)) => {
                path_is_met(path, value.as_deref(), object)
            }
        }
    }
}

/// What is said of an object for which it has not come, where nobody waits: `--timeout=0`.
pub fn not_met(plural: &str, name: &str) -> String {
    format!("condition not met for {plural}/{name}")
}

/// What is said of an object for which it has not come in time.
pub fn timed_out(plural: &str, name: &str) -> String {
    format!("timed out waiting for the condition on {plural}/{name}")
}

fn json_path(input: &str) -> Result<WaitFor, WaitForError> {
    let parts = split(input);
    let (path, value) = match parts.as_slice() {
        [path] => (path, None),
        [path, value] => (path, Some(value)),
        _ => return Err(WaitForError::JsonPathForm),
    };
    let path = relaxed(path)?;
    let value = match value.map(|value| value.trim_matches(['\'', '"'])) {
        Some("") => return Err(WaitForError::NoValue),
        Some(value) => Some(value.trim().to_owned()),
        None => None,
    };
    if path.is_empty() {
        return Err(WaitForError::NoPath);
    }
    Ok(WaitFor::JsonPath { path: JsonPath::parse(&path)?, value })
}

/// Splits at single equal signs; a double one belongs to a filter.
fn split(input: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = input.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '=' && characters.peek() != Some(&'=') {
            parts.push(String::new());
            continue;
        }
        let part = parts.last_mut().expect("there is one from the start");
        part.push(character);
        if character == '=' {
            part.extend(characters.next());
        }
    }
    parts
}

/// A condition that was observed on an older generation of the object does not count.
fn condition_is_met(name: &str, value: &str, object: &Value) -> bool {
    let status = &object["status"];
    let folded = |text: &str| text.to_lowercase();
    let text = |condition: &Value, field: &str| condition[field].as_str().map(folded);
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let wanted = folded(name);
    let found = conditions.find(|condition| {
        text(condition, "type").as_deref() == Some(&wanted) && condition["status"].is_string()
    });
    let Some(condition) = found else { return false };
    let observed = condition["observedGeneration"].as_i64();
    let observed = observed.or_else(|| status["observedGeneration"].as_i64());
    let generation = object["metadata"]["generation"].as_i64();
    let is_old = generation.zip(observed).is_some_and(|(generation, seen)| seen < generation);
    !is_old && text(condition, "status") == Some(folded(value))
}

fn path_is_met(path: &JsonPath, value: Option<&str>, object: &Value) -> Result<bool, WaitError> {
    let found = path.find(object)?;
    let Some(first) = found.first().and_then(|values| values.first()) else { return Ok(false) };
    if found.len() > 1 {
        return Err(WaitError::SeveralLists);
    }
    if found.iter().any(|values| values.len() > 1) {
        return Err(WaitError::SeveralValues);
    }
    let Some(value) = value else { return Ok(true) };
    if first.is_object() || first.is_array() {
        return Err(WaitError::Nested);
    }
    Ok(go::display(first).trim() == value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(text: &str, object: &Value) -> String {
        match WaitFor::parse(text).map(|it| it.is_met(Some(object))) {
            Ok(Ok(is_met)) => is_met.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn pod() -> Value {
        json!({
            "spec": { "priority": 1000 },
            "status": {
                "phase": "Running",
                "conditions": [
                    { "type": "Initialized", "status": "True" },
                    { "type": "Ready", "status": "False" },
                ],
            },
        })
    }

    #[test]
    fn every_form_is_what_kubectl_makes_of_it() {
        let table = [
            ("", r#"unrecognized condition: """#),
            ("foo", r#"unrecognized condition: "foo""#),
            ("jsonpath", r#"unrecognized condition: "jsonpath""#),
            ("condition=", "false"),
            ("condition=Ready", "false"),
            ("condition=ready=FALSE", "true"),
            ("condition=Initialized", "true"),
            ("delete", "false"),
            ("DELETE", "false"),
            ("Create", "true"),
            ("jsonpath={.status.phase}=Running", "true"),
            ("jsonpath=.status.phase=Running", "true"),
            ("jsonpath={.status.phase}='Running'", "true"),
            ("jsonpath={.status.phase}", "true"),
            ("jsonpath={.spec.priority}=1000", "true"),
            ("jsonpath={.nope}=x", "false"),
            (r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}=False"#, "true"),
            ("jsonpath={.status.conditions[0]}", "true"),
            (
                "jsonpath={.status}=x",
                "jsonpath leads to a nested object or list which is not supported",
            ),
            (
                "jsonpath={.status.conditions[*].type}=x",
                "given jsonpath expression matches more than one value",
            ),
            ("jsonpath=", "jsonpath expression cannot be empty"),
            ("jsonpath={.a[}=x", "unterminated array"),
        ];
        for (text, expected) in table {
            assert_eq!(met(text, &pod()), expected, "{text}");
        }
        let form = WaitFor::parse("jsonpath={.a}=b=c").unwrap_err();
        insta::assert_snapshot!(form, @"jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'");
        let value = WaitFor::parse("jsonpath={.a}=").unwrap_err();
        insta::assert_snapshot!(value, @"jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3");
        let path = WaitFor::parse("jsonpath={a}{b}").unwrap_err();
        insta::assert_snapshot!(path, @"unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
    }

    #[test]
    fn what_is_gone_is_deleted_and_nothing_else() {
        assert_eq!(WaitFor::Delete.is_met(None), Ok(true));
        assert_eq!(WaitFor::Create.is_met(None), Ok(false));
        assert_eq!(WaitFor::parse("condition=Ready").unwrap().is_met(None), Ok(false));
    }

    #[test]
    fn an_old_observation_does_not_count() {
        let mut object = pod();
        object["metadata"]["generation"] = json!(3);
        object["status"]["observedGeneration"] = json!(2);
        assert_eq!(met("condition=Initialized", &object), "false");
        object["status"]["conditions"][0]["observedGeneration"] = json!(3);
        assert_eq!(met("condition=Initialized", &object), "true");
    }
}
