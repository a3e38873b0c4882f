//! A path as people type it: without the braces, without the first dot.

use thiserror::Error;

/// Why a text is no path.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{{name1.name2}}' or \
     '{{.name1.name2}}'"
)]
pub struct RelaxedError;

/// The template for a path that may lack its braces and its first dot; empty stays empty.
///
/// Rule: `RelaxedJSONPathExpression` of `kubectl get`.
///
/// # Errors
/// There are more braces, or nothing but them.
///
/// ```
/// use wasmpod_view::jsonpath::relaxed;
///
/// assert_eq!(relaxed("metadata.name")?, "{.metadata.name}");
/// assert_eq!(relaxed("{.metadata.name}")?, "{.metadata.name}");
/// # Ok::<(), wasmpod_view::jsonpath::RelaxedError>(())
/// ```
pub fn relaxed(path: &str) -> Result<String, RelaxedError> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(path);
    let rest = inner.strip_prefix('.').unwrap_or(inner);
    // A dot alone is a path too.
    let rest = if rest.is_empty() { inner } else { rest };
    if rest.is_empty() || rest.contains(['{', '}']) {
        return Err(RelaxedError);
    }
    Ok(format!("{{.{rest}}}"))
}
