//! Errors as one line, for a status or a terminal.

use std::error::Error;

/// `error` with all its causes: `cannot open /x: permission denied`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
