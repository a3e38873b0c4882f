//! Programs that are started for work on strangers' bytes: files, or bytes that this one carries.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;

/// A program that is started for one piece of work.
#[derive(Clone, Debug)]
pub enum ChildProgram {
    /// A file, usually that of this program, with arguments that say what it is started for.
    File {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// No file but these bytes: an executable that needs no arguments. The process that holds them does not
    /// have in it what they can do, which makes it smaller, and maps them only to start the child.
    Embedded(&'static [u8]),
}

impl ChildProgram {
    /// A command that starts it while what stands beside it is held. `name` is what the kernel calls one
    /// that is no file, `elsewhere` a path that is free.
    pub(super) fn command(
        &self,
        name: &str,
        elsewhere: &Path,
    ) -> io::Result<(Command, Option<Unpacked>)> {
        match self {
            Self::File { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                Ok((command, None))
            }
            Self::Embedded(bytes) => {
                let unpacked = Unpacked::new(name, bytes, elsewhere)?;
                Ok((Command::new(unpacked.path()), Some(unpacked)))
            }
        }
    }
}

/// A program as a file, gone when this is dropped.
pub(super) enum Unpacked {
    /// It has no place in any folder.
    InMemory(OwnedFd),
    /// For a host that runs nothing from memory (`vm.memfd_noexec`).
    OnDisk(PathBuf),
}

impl Unpacked {
    fn new(name: &str, program: &[u8], elsewhere: &Path) -> io::Result<Self> {
        match in_memory(name, program) {
            Ok(file) => Ok(Self::InMemory(file)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let mut options = OpenOptions::new();
                if let Some(folder) = elsewhere.parent() {
                    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                }
                let mut file = options.write(true).create_new(true).mode(0o700).open(elsewhere)?;
                let outside = Self::OnDisk(elsewhere.to_owned());
                file.write_all(program)?;
                Ok(outside)
            }
            Err(error) => Err(error),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            // The child has the descriptor until it becomes the program.
            Self::InMemory(file) => format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            Self::OnDisk(path) => path.clone(),
        }
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Self::OnDisk(path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn in_memory(name: &str, program: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC;
    let file = match memfd_create(name, flags | MemfdFlags::EXEC) {
        // Before Linux 6.3 every such file could be run, and none asked for it.
        Err(Errno::INVAL) => memfd_create(name, flags),
        made => made,
    }?;
    let mut file = File::from(file);
    file.write_all(program)?;
    // The kernel runs nothing that is open for writing; through another description it is not.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(File::open(path)?.into())
}
