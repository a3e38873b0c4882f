//! Standard output: text as it is. A reader that has gone away ends it quietly.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints a line.
pub(crate) fn line(line: &str) {
    text(&format!("{line}\n"));
}

/// Prints text.
pub(crate) fn text(text: &str) {
    bytes(text.as_bytes());
}

/// Prints bytes.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        CLOSED.store(true, Ordering::Relaxed);
    }
}

/// Whether nobody reads any more, as far as that was noticed: a verb that goes on for ever ends then.
pub(crate) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
