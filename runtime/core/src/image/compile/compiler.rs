//! Where the compiler is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::cancel::Cancel;
use super::child;
#[cfg(feature = "compiler")]
use super::code;
use super::description::Description;
use super::request::{CompileError, Compiled, Request, Task};
use crate::image::embedded::Unpacked;

/// Where compiling happens.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In a child: this program with these arguments must call
    /// [`compile_child`](crate::image::compile_child) and exit with its code.
    Child {
        /// The program, usually this one.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// In a child whose program is no file but these bytes: an executable that does the same.
    /// The process that holds them has no compiler of its own, which makes it smaller, and maps
    /// them only to start the child.
    Embedded(&'static [u8]),
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
            Self::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                child::ask(command, &Task::Compile(request.clone()), cancel)
            }
            // What a killed process leaves beside the output is pruned with the rest of the cache.
            Self::Embedded(program) => {
                match Unpacked::new("compiler", program, &request.output.with_extension("compiler"))
                {
                    Ok(file) => {
                        let task = Task::Compile(request.clone());
                        child::ask(Command::new(file.path()), &task, cancel)
                    }
                    Err(error) => {
                        let problem = format!("cannot make the compiling process: {error}");
                        (Err(CompileError::Host(problem)), Duration::ZERO)
                    }
                }
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

    /// Tells what the file is: its kind, what it imports and exports. Text format will do, too. Blocks.
    ///
    /// # Errors
    /// It is no WebAssembly, or nobody here can tell; `Display` says which.
    pub fn describe(&self, image: &Path) -> Result<Description, DescribeError> {
        let absolute = std::path::absolute(image).map_err(|error| DescribeError(error.to_string()));
        let task = Task::Describe { image: absolute? };
        let nobody = Cancel::default();
        let told = match self {
            Self::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                child::ask(command, &task, &nobody).0
            }
            Self::Embedded(program) => {
                let elsewhere = format!("wasmpod-compiler-{}", std::process::id());
                match Unpacked::new("compiler", program, &std::env::temp_dir().join(elsewhere)) {
                    Ok(file) => child::ask(Command::new(file.path()), &task, &nobody).0,
                    Err(error) => Err(CompileError::Host(format!(
                        "cannot make the compiling process: {error}"
                    ))),
                }
            }
            #[cfg(feature = "compiler")]
            Self::InProcess => code::describe(image),
            Self::Nowhere => Err(CompileError::Host("there is no compiler here".to_owned())),
        };
        told.map_err(|error| DescribeError(error.to_string()))
    }
}

/// A file cannot be described.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DescribeError(String);
