//! What a descriptor of the shell stands for: a handle of the system, or a file.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::sys::{self, Handle};

/// One open thing. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum Fd {
    /// A standard stream that this process began with.
    Standard(Handle),
    /// One end of a pipe, closed with its last clone.
    Pipe(Rc<Owned>),
    File(Rc<OpenFile>),
    /// `/dev/null`
    Null,
}

/// A handle that is closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Owned(Handle);

impl Drop for Owned {
    fn drop(&mut self) {
        sys::close(self.0);
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    /// Emptied first.
    Write,
    Append,
    /// `<>`
    ReadWrite,
    /// As `Write`, but the file must not exist: `set -C`.
    New,
}

/// A file, and how to open it once more: where a child has none of its parent's files, it does so.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    mode: Mode,
    file: RefCell<File>,
    /// Where a child begins to read.
    position: Cell<u64>,
}

impl Fd {
    /// Takes over a handle.
    pub(crate) fn owning(handle: Handle) -> Self {
        Self::Pipe(Rc::new(Owned(handle)))
    }

    /// Opens a file, or what has the name of a device.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn open(path: &str, mode: Mode) -> io::Result<Self> {
        match path {
            "/dev/null" => return Ok(Self::Null),
            "/dev/stdin" => return Ok(Self::Standard(0)),
            "/dev/stdout" => return Ok(Self::Standard(1)),
            "/dev/stderr" | "/dev/tty" => return Ok(Self::Standard(2)),
            _ => {}
        }
        let path = crate::path::absolute(path);
        let file = open(&path, mode)?;
        let (file, position) = (RefCell::new(file), Cell::new(0));
        Ok(Self::File(Rc::new(OpenFile { path, mode, file, position })))
    }

    /// The handle behind it, unless it is a file.
    pub(crate) fn handle(&self) -> Option<Handle> {
        match self {
            Self::Standard(handle) => Some(*handle),
            Self::Pipe(owned) => Some(owned.0),
            Self::File(_) | Self::Null => None,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Standard(handle) if sys::is_terminal(*handle))
    }

    /// # Errors
    /// Not open for reading, and those of files and connections.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Standard(handle) => sys::read(*handle, buffer),
            Self::Pipe(owned) => sys::read(owned.0, buffer),
            Self::File(open) => open.file.borrow_mut().read(buffer),
            Self::Null => Ok(0),
        }
    }

    /// # Errors
    /// `BrokenPipe` when nobody reads, not open for writing, and those of files.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Standard(handle) => sys::write_all(*handle, bytes),
            Self::Pipe(owned) => sys::write_all(owned.0, bytes),
            Self::File(open) => open.file.borrow_mut().write_all(bytes),
            Self::Null => Ok(()),
        }
    }

    /// In a child that has just begun: opens again what only its parent has open.
    ///
    /// # Errors
    /// The file is gone.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let Self::File(open_file) = self else { return Ok(()) };
        let mode = match open_file.mode {
            Mode::Write | Mode::New | Mode::Append => Mode::Append,
            other => other,
        };
        let mut file = open(&open_file.path, mode)?;
        // All who write do so at the end. A reader begins where its parent began.
        if matches!(mode, Mode::Read | Mode::ReadWrite) {
            file.seek(SeekFrom::Start(open_file.position.get()))?;
        }
        // The number of the old one may be another file's by now.
        std::mem::forget(open_file.file.replace(file));
        Ok(())
    }

    /// In a parent that is about to have a child: notes where it reads.
    pub(crate) fn note_position(&self) {
        if let Self::File(open) = self {
            open.position.set(open.file.borrow_mut().stream_position().unwrap_or(0));
        }
    }
}

fn open(path: &Path, mode: Mode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match mode {
        Mode::Read => options.read(true),
        // Emptied and appended to: whatever else writes to it, nothing is written over.
        Mode::Write => {
            OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
            options.append(true)
        }
        Mode::New => options.append(true).create_new(true),
        Mode::Append => options.append(true).create(true),
        Mode::ReadWrite => options.read(true).write(true).create(true).truncate(false),
    };
    let file = options.open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}
