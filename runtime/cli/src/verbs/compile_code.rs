//! The compiling child of the code cache: a process of its own for each image, so that the Pod's
//! process stays small and the compiler, which reads strangers' code, stays apart.

use std::process::ExitCode;

/// How the command line calls it.
pub(crate) const VERB: &str = "compile-code";

pub(crate) fn compile_code() -> ExitCode {
    wasmpod::image::compile_child()
}
