//! The compiling child of wasmpod as a program of its own: `cargo xtask build` puts it into wasmpod,
//! whose own processes then contain no compiler.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasmpod::image::compile_child()
}
