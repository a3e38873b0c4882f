//! Absent and empty are one to Kubernetes, whose fields have no third state.

/// The text, empty when absent.
pub(super) fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// The text unless it is absent or empty.
pub(super) fn some_text(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The list, empty when absent.
pub(super) fn list<T>(list: &Option<Vec<T>>) -> &[T] {
    list.as_deref().unwrap_or_default()
}
