//! Where the compiler is.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::cancel::Cancel;
use super::child;
#[cfg(feature = "compiler")]
use super::code;
use super::description::Description;
use super::improve;
use super::request::{CompileError, Compiled, Improvement, Request, Task};
use crate::image::child_program::ChildProgram;

/// What the kernel calls it.
const NAME: &str = "compiler";

/// Where compiling happens.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In a child, which must call [`compile_child`](crate::image::compile_child) and exit with its code.
    Child(ChildProgram),
    /// In this process: for embedders without a program to call. Cannot be interrupted.
    #[cfg(feature = "compiler")]
    InProcess,
    /// Nowhere: only what is in the cache runs.
    Nowhere,
}

impl Compiler {
    /// This process if it can, nowhere otherwise.
    pub(crate) fn here() -> Self {
        #[cfg(feature = "compiler")]
        return Self::InProcess;
        #[cfg(not(feature = "compiler"))]
        return Self::Nowhere;
    }

    /// Compiles and writes the code to `request.output`. Blocks. Beside it stands the CPU time of a child.
    pub(crate) fn compile(
        &self,
        request: &Request,
        cancel: &Cancel,
    ) -> (Result<Compiled, CompileError>, Duration) {
        match self {
            // What a killed process leaves beside the output is pruned with the rest of the cache.
            Self::Child(program) => {
                let elsewhere = request.output.with_extension(NAME);
                ask(program, &Task::Compile(request.clone()), &elsewhere, cancel)
            }
            // On a thread of whoever asked, which is counted there.
            #[cfg(feature = "compiler")]
            Self::InProcess => (code::compile(request), Duration::ZERO),
            Self::Nowhere => {
                let problem = "it is not compiled yet, and there is no compiler here".to_owned();
                (Err(CompileError::Host(problem)), Duration::ZERO)
            }
        }
    }

    /// Whether better code can take the place of what is made quickly.
    pub(crate) fn improves(&self) -> bool {
        matches!(self, Self::Child(_))
    }

    /// Has better code made than there is, by a child that lives on without this process. Blocks until it
    /// has ended. What hinders it costs nothing but the better code.
    pub(crate) fn improve(&self, improvement: Improvement) {
        let Self::Child(program) = self else { return };
        let elsewhere = improvement.request.output.with_extension(NAME);
        let done = program
            .command(NAME, &elsewhere)
            .and_then(|(command, _held)| improve::run(command, &Task::Improve(improvement)));
        if let Err(error) = done {
            tracing::debug!("better code is not made: {error}");
        }
    }

    /// Tells what the file is: its kind, what it imports and exports. Text format will do, too. Blocks.
    ///
    /// # Errors
    /// It is no WebAssembly, or nobody here can tell; `Display` says which.
    pub fn describe(&self, image: &Path) -> Result<Description, DescribeError> {
        let absolute = std::path::absolute(image).map_err(|error| DescribeError(error.to_string()));
        let task = Task::Describe { image: absolute? };
        let told = match self {
            Self::Child(program) => {
                let elsewhere = format!("wasmpod-{NAME}-{}", std::process::id());
                ask(program, &task, &std::env::temp_dir().join(elsewhere), &Cancel::default()).0
            }
            #[cfg(feature = "compiler")]
            Self::InProcess => code::describe(image),
            Self::Nowhere => Err(CompileError::Host("there is no compiler here".to_owned())),
        };
        told.map_err(|error| DescribeError(error.to_string()))
    }
}

/// The answer of a child to `task`, and the CPU time that it took. Where nothing can be run from memory, its
/// program is in the file `elsewhere` meanwhile.
fn ask<Answer: DeserializeOwned>(
    program: &ChildProgram,
    task: &Task,
    elsewhere: &Path,
    cancel: &Cancel,
) -> (Result<Answer, CompileError>, Duration) {
    match program.command(NAME, elsewhere) {
        Ok((command, _held)) => child::ask(command, task, cancel),
        Err(error) => {
            let problem = format!("cannot make the compiling process: {error}");
            (Err(CompileError::Host(problem)), Duration::ZERO)
        }
    }
}

/// A file cannot be described.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DescribeError(String);
