//! Files of a container for clients, while it runs and after, as long as its Pod lives.
//!
//! The copying is done on a thread aside, which waits for a client that is slow: what is under way has a
//! bound, however large the files are.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::view::PodView;
use crate::executor::{Blocking, Work};
use crate::sandbox::filesystem::{
    Copied, CopyError, FileStat, FileTraffic, Mount, Tree, pack, unpack,
};

/// Pieces on their way between the thread and the client.
const PIECES: usize = 4;

/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// The files of a container's run, or of its last one.
#[derive(Clone)]
pub struct ContainerFiles {
    mounts: Vec<Mount>,
    traffic: Arc<FileTraffic>,
}

/// Why there are no files of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// The Pod has no such container. The words are those of the API server.
    #[error("container {container} is not valid for pod {pod}")]
    NoContainer {
        /// The name that was asked for.
        container: String,
        /// The Pod.
        pod: String,
    },
    /// It has not been started yet, or its Pod has ended.
    #[error("container {container:?} has no files: {why}")]
    None {
        /// The container.
        container: String,
        /// Which of the two it is.
        why: &'static str,
    },
}

/// An archive that comes out of a container. Dropping it ends the copying.
pub struct Download {
    pieces: mpsc::Receiver<Bytes>,
    copying: Work<Result<Copied, CopyError>>,
}

/// An archive that goes into a container. Dropped before it is [finished](Self::finish) it counts as one
/// that has broken off.
pub struct Upload {
    pieces: mpsc::Sender<Piece>,
    copying: Work<Result<Copied, CopyError>>,
}

enum Piece {
    Bytes(Bytes),
    End,
}

impl PodView {
    /// The files of `container`: its root and its mounts, as its guest sees them.
    ///
    /// # Errors
    /// [`FilesError`]
    pub fn files(&self, container: &str) -> Result<ContainerFiles, FilesError> {
        if !self.runtime.containers().any(|each| each.name == container) {
            let pod = self.identity().name.clone();
            return Err(FilesError::NoContainer { container: container.to_owned(), pod });
        }
        let none = |why| FilesError::None { container: container.to_owned(), why };
        let ended =
            matches!(self.handle.status().borrow().phase.as_deref(), Some("Succeeded" | "Failed"));
        let mounts = self.runtime.runs.mounts(container);
        let mounts = mounts.ok_or_else(|| {
            none(if ended { "its Pod has ended" } else { "it has not been started yet" })
        })?;
        let meter = self.runtime.runs.meter(container);
        let traffic = meter.map(|meter| Arc::clone(&meter.files)).unwrap_or_default();
        Ok(ContainerFiles { mounts, traffic })
    }
}

impl ContainerFiles {
    /// What is at `path`; a link is not followed.
    ///
    /// # Errors
    /// [`CopyError`]
    pub async fn stat(&self, path: impl Into<PathBuf>) -> Result<FileStat, CopyError> {
        let (files, path) = (self.clone(), path.into());
        let looking = Blocking::Aside.spawn(move || files.tree()?.stat(&path));
        joined(looking).await
    }

    /// What is at `path` with all below it, as a tar archive whose entries are named from the last part of
    /// the path on. Must be called within a tokio runtime.
    pub fn read(&self, path: impl Into<PathBuf>) -> Download {
        let (files, path) = (self.clone(), path.into());
        let (sender, pieces) = mpsc::channel(PIECES);
        let copying = Blocking::Aside.spawn(move || {
            let sender = Sender { pieces: sender, bytes: BytesMut::with_capacity(PIECE) };
            pack(&files.tree()?, &path, sender)
        });
        Download { pieces, copying }
    }

    /// Takes a tar archive and unpacks it below the folder at `path`, as the container's guest would write:
    /// what it may not, this may not. Must be called within a tokio runtime.
    pub fn write(&self, path: impl Into<PathBuf>) -> Upload {
        let (files, path) = (self.clone(), path.into());
        let (pieces, receiver) = mpsc::channel(PIECES);
        let copying = Blocking::Aside.spawn(move || {
            let receiver = Receiver { pieces: receiver, bytes: Bytes::new(), ended: false };
            unpack(&files.tree()?, &path, receiver)
        });
        Upload { pieces, copying }
    }

    fn tree(&self) -> Result<Tree, CopyError> {
        Tree::open(&self.mounts, Arc::clone(&self.traffic))
    }
}

impl Download {
    /// The next bytes of the archive; none at its end, and then [`finish`](Self::finish) says whether it is
    /// whole.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.pieces.recv().await
    }

    /// How it ended.
    ///
    /// # Errors
    /// [`CopyError`]; what has come is not whole then.
    pub async fn finish(self) -> Result<Copied, CopyError> {
        drop(self.pieces);
        joined(self.copying).await
    }
}

impl Upload {
    /// Passes bytes of the archive on. Answers whether more are wanted: not after its end, or an error that
    /// [`finish`](Self::finish) tells.
    ///
    /// # Cancel safety
    /// Safe: bytes that were not passed on are not.
    pub async fn push(&self, bytes: Bytes) -> bool {
        bytes.is_empty() || self.pieces.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// The archive is whole: waits until all of it is written.
    ///
    /// # Errors
    /// [`CopyError`]; some of it may have been written.
    pub async fn finish(self) -> Result<Copied, CopyError> {
        // Nobody takes it behind the end of an archive or an error.
        let _ = self.pieces.send(Piece::End).await;
        joined(self.copying).await
    }
}

async fn joined<Value>(work: Work<Result<Value, CopyError>>) -> Result<Value, CopyError> {
    work.await.unwrap_or_else(|panic| Err(CopyError::Failed(panic.to_string())))
}

/// The thread's end of a download.
struct Sender {
    pieces: mpsc::Sender<Bytes>,
    bytes: BytesMut,
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = self.bytes.split().freeze();
        if piece.is_empty() {
            return Ok(());
        }
        self.bytes.reserve(PIECE);
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "its reader is gone");
        self.pieces.blocking_send(piece).map_err(gone)
    }
}

/// The thread's end of an upload.
struct Receiver {
    pieces: mpsc::Receiver<Piece>,
    bytes: Bytes,
    ended: bool,
}

impl Read for Receiver {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.bytes = bytes,
                Some(Piece::End) => self.ended = true,
                None => {
                    let gone = "its writer is gone";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, gone));
                }
            }
        }
        let length = self.bytes.len().min(buffer.len());
        self.bytes.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
