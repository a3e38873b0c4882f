//! What is wrong with a field, in the words of apimachinery's `field.Error`.

use std::fmt;

use serde_json::Value;

use super::{FieldPath, Place, Segment, quote, shortened};

/// The kind of a [`FieldError`], as in the `causes` of a Kubernetes status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// A value is needed and there is none.
    Required,
    /// The value is malformed or out of bounds.
    Invalid,
    /// The value must be unique and is not.
    Duplicate,
    /// The value is not one of the known ones.
    Unsupported,
    /// The value is well formed, but not allowed here.
    Forbidden,
    /// The value names something that does not exist.
    NotFound,
    /// The value is too long.
    TooLong,
    /// The list has too many elements.
    TooMany,
}

impl ErrorType {
    /// The machine-readable name, as in `details.causes[].reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Unsupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Required => "Required value",
            Self::Invalid => "Invalid value",
            Self::Duplicate => "Duplicate value",
            Self::Unsupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not found",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        })
    }
}

/// One broken rule: the field, the kind of error, the offending value and what would be right.
///
/// ```
/// # use wasmpod_manifest::field::{ErrorType, FieldError, FieldPath, Segment};
/// let error = FieldError {
///     path: FieldPath::root().then(Segment::Field("restartPolicy".into())),
///     kind: ErrorType::Unsupported,
///     value: "always".into(),
///     detail: r#"supported values: "Always", "Never", "OnFailure""#.into(),
///     hint: None,
/// };
/// assert_eq!(
///     error.to_string(),
///     r#"restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure""#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// Which field.
    pub path: FieldPath,
    /// What kind of error.
    pub kind: ErrorType,
    /// The value at fault; not printed for the kinds that speak of no value.
    pub value: Value,
    /// What would be right; may be empty.
    pub detail: String,
    /// A way out to offer beside the message, such as the spelling that was meant.
    pub hint: Option<String>,
}

/// A value that is longer is no help to whoever reads the message; a name has 253 characters at
/// most.
const MOST_SHOWN: usize = 300;

impl FieldError {
    /// Whether what is written is nothing that Kubernetes knows: a value outside its list, or
    /// the key of a map that is itself at fault. Such a thing is a slip, not a feature.
    pub fn is_misnomer(&self) -> bool {
        match self.kind {
            ErrorType::Unsupported => true,
            ErrorType::Invalid => match self.path.segments().last() {
                Some(Segment::Key(key)) => self.value.as_str() == Some(key),
                _ => false,
            },
            ErrorType::Required
            | ErrorType::Duplicate
            | ErrorType::Forbidden
            | ErrorType::NotFound
            | ErrorType::TooLong
            | ErrorType::TooMany => false,
        }
    }

    /// The message without the path: `Invalid value: "x": must be unique`.
    pub fn body(&self) -> String {
        let mut body = self.kind.to_string();
        if let Some(value) = self.printed_value() {
            body.push_str(": ");
            body.push_str(&value);
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }

    fn printed_value(&self) -> Option<String> {
        match self.kind {
            ErrorType::Required | ErrorType::Forbidden | ErrorType::TooLong => None,
            ErrorType::Invalid
            | ErrorType::Duplicate
            | ErrorType::Unsupported
            | ErrorType::NotFound
            | ErrorType::TooMany => Some(match &self.value {
                Value::String(text) => quote(&shortened(text, MOST_SHOWN)),
                Value::Null => quote("null"),
                other => shortened(&other.to_string(), MOST_SHOWN).into_owned(),
            }),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string();
        if !path.is_empty() {
            write!(formatter, "{path}: ")?;
        }
        formatter.write_str(&self.body())
    }
}

impl std::error::Error for FieldError {}

/// What a validator has found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    pub(crate) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn required(&mut self, at: &Place<'_>, detail: &str) {
        self.push(at, ErrorType::Required, Value::Null, detail);
    }

    pub(crate) fn forbidden(&mut self, at: &Place<'_>, detail: &str) {
        self.push(at, ErrorType::Forbidden, Value::Null, detail);
    }

    pub(crate) fn invalid(
        &mut self,
        at: &Place<'_>,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) {
        self.push(at, ErrorType::Invalid, value.into(), detail);
    }

    /// One error for each message of a check on `value`.
    pub(crate) fn invalid_each(&mut self, at: &Place<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.invalid(at, value, message);
        }
    }

    pub(crate) fn duplicate(&mut self, at: &Place<'_>, value: impl Into<Value>) {
        self.push(at, ErrorType::Duplicate, value.into(), "");
    }

    pub(crate) fn not_found(&mut self, at: &Place<'_>, value: &str, detail: &str) {
        self.push(at, ErrorType::NotFound, value.into(), detail);
    }

    pub(crate) fn unsupported(&mut self, at: &Place<'_>, value: &str, supported: &[&str]) {
        let mut sorted: Vec<String> = supported.iter().map(|known| quote(known)).collect();
        sorted.sort();
        let detail = format!("supported values: {}", sorted.join(", "));
        self.push(at, ErrorType::Unsupported, value.into(), detail);
        // Kubernetes spells its values in one way; a slip of case is the usual reason.
        let meant = supported.iter().find(|known| known.eq_ignore_ascii_case(value));
        if let (Some(meant), Some(error)) = (meant, self.0.last_mut()) {
            error.hint = Some(format!("did you mean {}?", quote(meant)));
        }
    }

    pub(crate) fn too_long(&mut self, at: &Place<'_>, most: usize) {
        let detail = format!("may not be more than {most} bytes");
        self.push(at, ErrorType::TooLong, Value::Null, detail);
    }

    pub(crate) fn too_many(&mut self, at: &Place<'_>, count: usize, most: usize) {
        let detail = format!("must have at most {most} items");
        self.push(at, ErrorType::TooMany, count.into(), detail);
    }

    /// Adds a way out to the error noted last.
    pub(crate) fn hint(&mut self, hint: String) {
        if let Some(error) = self.0.last_mut() {
            error.hint = Some(hint);
        }
    }

    fn push(&mut self, at: &Place<'_>, kind: ErrorType, value: Value, detail: impl Into<String>) {
        let detail = detail.into();
        self.0.push(FieldError { path: at.path(), kind, value, detail, hint: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(note: impl FnOnce(&mut Errors, &Place<'_>)) -> String {
        let mut errors = Errors::default();
        note(&mut errors, &Place::top("spec").field("x"));
        errors.into_vec()[0].to_string()
    }

    #[test]
    fn each_kind_prints_as_apimachinery_does() {
        assert_eq!(printed(|errors, at| errors.required(at, "")), "spec.x: Required value");
        assert_eq!(
            printed(|errors, at| errors.required(at, "must specify a handler type")),
            "spec.x: Required value: must specify a handler type"
        );
        assert_eq!(
            printed(|errors, at| errors.invalid(at, 0, "must be between 1 and 65535, inclusive")),
            "spec.x: Invalid value: 0: must be between 1 and 65535, inclusive"
        );
        assert_eq!(
            printed(|errors, at| errors.invalid(at, "a\"b", "no")),
            r#"spec.x: Invalid value: "a\"b": no"#
        );
        assert_eq!(
            printed(|errors, at| errors.invalid(at, Value::Null, "no")),
            r#"spec.x: Invalid value: "null": no"#
        );
        assert_eq!(
            printed(|errors, at| errors.duplicate(at, "a")),
            r#"spec.x: Duplicate value: "a""#
        );
        assert_eq!(
            printed(|errors, at| errors.not_found(at, "v", "")),
            r#"spec.x: Not found: "v""#
        );
        assert_eq!(
            printed(|errors, at| errors.unsupported(
                at,
                "always",
                &["OnFailure", "Always", "Never"]
            )),
            r#"spec.x: Unsupported value: "always": supported values: "Always", "Never", "OnFailure""#
        );
        assert_eq!(
            printed(|errors, at| errors.forbidden(at, "cannot be set")),
            "spec.x: Forbidden: cannot be set"
        );
        assert_eq!(
            printed(|errors, at| errors.too_long(at, 64)),
            "spec.x: Too long: may not be more than 64 bytes"
        );
        assert_eq!(
            printed(|errors, at| errors.too_many(at, 21, 20)),
            "spec.x: Too many: 21: must have at most 20 items"
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        let long = "é".repeat(1 << 20);
        let printed = printed(|errors, at| errors.invalid(at, long.as_str(), "no"));
        assert_eq!(printed, format!("spec.x: Invalid value: \"{}…\": no", "é".repeat(300)));
    }

    #[test]
    fn a_slip_of_case_gets_a_hint() {
        let mut errors = Errors::default();
        errors.unsupported(&Place::top("restartPolicy"), "always", &["Always", "Never"]);
        assert_eq!(errors.into_vec()[0].hint.as_deref(), Some("did you mean \"Always\"?"));
    }
}
