//! The fetching child of wasmpod as a program of its own: `cargo xtask build` puts it into wasmpod,
//! whose own processes then contain no client of registries.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasmpod_registry::fetch_child()
}
