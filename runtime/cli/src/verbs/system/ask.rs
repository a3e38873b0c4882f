//! A question before something goes that does not come back.

use std::io;

use crate::print::out;

/// Says what will go, and asks; no answer is a no.
pub(super) fn is_sure(what: &[String]) -> bool {
    let list: String = what.iter().map(|line| format!("  - {line}\n")).collect();
    out::text(&format!(
        "WARNING! This removes:\n{list}\nAre you sure you want to continue? [y/N] "
    ));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
