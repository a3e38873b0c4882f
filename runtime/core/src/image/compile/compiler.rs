//! Where the compiler is.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;

use super::cancel::Cancel;
use super::child;
#[cfg(feature = "compiler")]
use super::code;
use super::request::{CompileError, Compiled, Request};

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
                child::ask(command, request, cancel)
            }
            Self::Embedded(program) => match Unpacked::new(program, request) {
                Ok(file) => child::ask(Command::new(file.path()), request, cancel),
                Err(error) => {
                    let problem = format!("cannot make the compiling process: {error}");
                    (Err(CompileError::Host(problem)), Duration::ZERO)
                }
            },
            // On a thread of whoever asked, which is counted there.
            #[cfg(feature = "compiler")]
            Self::InProcess => (code::compile(request), Duration::ZERO),
            Self::Nowhere => {
                let problem = "it is not compiled yet, and there is no compiler here".to_owned();
                (Err(CompileError::Host(problem)), Duration::ZERO)
            }
        }
    }
}

/// A program as a file, gone when this is dropped.
enum Unpacked {
    /// It has no place in any folder.
    InMemory(OwnedFd),
    /// Beside the output, for a host that runs nothing from memory (`vm.memfd_noexec`).
    Beside(PathBuf),
}

impl Unpacked {
    fn new(program: &[u8], request: &Request) -> io::Result<Self> {
        match in_memory(program) {
            Ok(file) => Ok(Self::InMemory(file)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let path = request.output.with_extension("compiler");
                let mut options = OpenOptions::new();
                let made = options.write(true).create_new(true).mode(0o700).open(&path);
                let beside = Self::Beside(path);
                made?.write_all(program)?;
                Ok(beside)
            }
            Err(error) => Err(error),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            // The child has the descriptor until it becomes the program.
            Self::InMemory(file) => format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            Self::Beside(path) => path.clone(),
        }
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Self::Beside(path) = self {
            // What a killed process leaves is pruned with the rest of the cache.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn in_memory(program: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC;
    let file = match memfd_create("compiler", flags | MemfdFlags::EXEC) {
        // Before Linux 6.3 every such file could be run, and none asked for it.
        Err(Errno::INVAL) => memfd_create("compiler", flags),
        made => made,
    }?;
    let mut file = File::from(file);
    file.write_all(program)?;
    // The kernel runs nothing that is open for writing; through another description it is not.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(File::open(path)?.into())
}
