//! Where guests are compiled: never in the process of a Pod, which stays small, and apart from what
//! reads strangers' code.
//!
//! In a build for development this program is its own compiling child. The one that is shipped has
//! no compiler in it but carries one, a program as bytes that nobody reads before it is needed.

use std::io;

use wasmpod::image::{ChildProgram, Compiler};

/// Says whether large images may begin with code that is made quickly.
const FIRST_CODE: &str = "WASMPOD_FIRST_CODE";

/// What the user says of it in the environment, which Pods in the background have from the command that
/// starts them.
///
/// # Errors
/// Another word than `quick` and `optimised`.
pub(crate) fn quick_code() -> io::Result<bool> {
    match std::env::var(FIRST_CODE).as_deref() {
        Err(_) | Ok("" | "quick") => Ok(true),
        Ok("optimised") => Ok(false),
        Ok(other) => {
            let problem = format!("{FIRST_CODE} must be `quick` or `optimised`, not {other:?}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
        }
    }
}

/// How the command line calls the compiling child.
#[cfg(feature = "compiler")]
pub(crate) const VERB: &str = "compile-code";

/// # Errors
/// This program cannot tell where it is.
#[cfg(feature = "compiler")]
pub(crate) fn find() -> io::Result<Compiler> {
    let program = std::env::current_exe()?;
    Ok(Compiler::Child(ChildProgram::File { program, arguments: vec![VERB.into()] }))
}

/// `wasmpod-compiler`, built before this one.
#[cfg(not(feature = "compiler"))]
static PROGRAM: &[u8] = include_bytes!(env!(
    "WASMPOD_COMPILER",
    "without the feature `compiler`, WASMPOD_COMPILER names a built wasmpod-compiler; \
     `cargo xtask build` sets it"
));

/// # Errors
/// None: where this program has no compiler, it carries one.
#[cfg(not(feature = "compiler"))]
pub(crate) fn find() -> io::Result<Compiler> {
    Ok(Compiler::Child(ChildProgram::Embedded(PROGRAM)))
}
