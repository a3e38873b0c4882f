//! One open connection of a Pod, wherever its other side is.
//!
//! A connection inside the Pod is a pair of pipes, one that came through a host port is the
//! kernel's TCP stream, one from another Pod's process a unix stream. Whoever holds a [`Stream`]
//! does not care; nothing copies between them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::NetworkError;
use super::endpoint::EndpointShared;
use super::kernel::{KernelStream, KernelStreamHandle};
use super::options::TcpOptions;
use super::pipe::{MemoryStream, MemoryStreamHandle};

/// An open connection. Dropping it closes the connection, with a reset when bytes are unread.
///
/// It has two faces: tokio's [`AsyncRead`] and [`AsyncWrite`], and the methods below, which take
/// `&self` and move [`Bytes`] without copying; the fronts of WASI use these. Reading and writing
/// may be waited for by one task each.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// The other side is in the same Pod, or is this host process.
    Memory(MemoryStream),
    /// A TCP connection of the host's kernel.
    Tcp(KernelStream<TcpStream>),
    /// A unix connection to another Pod's process.
    Unix(KernelStream<UnixStream>),
}

macro_rules! each {
    ($stream:expr, $each:ident => $call:expr) => {
        match $stream {
            Stream::Memory($each) => $call,
            Stream::Tcp($each) => $call,
            Stream::Unix($each) => $call,
        }
    };
}

impl Stream {
    /// The next bytes that have arrived, at most `max`, which is not zero; `None` when there are
    /// none yet, empty at the end of the stream.
    ///
    /// # Errors
    /// [`NetworkError::ConnectionReset`], and for kernel streams whatever the kernel reports.
    pub fn try_read(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        each!(self, stream => stream.try_read(max))
    }

    /// As [`try_read`](Self::try_read), into a buffer of the caller's; 0 at the end.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub fn try_read_into(&self, buffer: &mut [u8]) -> Result<Option<usize>, NetworkError> {
        each!(self, stream => stream.try_read_into(buffer))
    }

    /// Ready when a read would not have to wait, be it for an error or the end.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        each!(self, stream => stream.poll_readable(cx))
    }

    /// Reads at most `max` bytes, empty at the end, or waits.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub fn poll_read_bytes(
        &self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Bytes, NetworkError>> {
        loop {
            if let Some(bytes) = self.try_read(max)? {
                return Poll::Ready(Ok(bytes));
            }
            ready!(self.poll_readable(cx));
        }
    }

    /// Reads into a buffer of the caller's, 0 at the end, or waits.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, NetworkError>> {
        loop {
            if let Some(count) = self.try_read_into(buffer)? {
                return Poll::Ready(Ok(count));
            }
            ready!(self.poll_readable(cx));
        }
    }

    /// How many bytes a [`write`](Self::write) may hold now; 0 when it must wait.
    ///
    /// # Errors
    /// [`NetworkError::BrokenPipe`] after a shutdown of writing or when the peer has closed,
    /// [`NetworkError::ConnectionReset`] after a reset.
    pub fn write_permit(&self) -> Result<usize, NetworkError> {
        each!(self, stream => stream.write_permit())
    }

    /// Sends all of `bytes`, which are no more than the last permit.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit).
    pub fn write(&self, bytes: Bytes) -> Result<(), NetworkError> {
        each!(self, stream => stream.write(bytes))
    }

    /// Sends a copy of as many bytes as possible; `None` when it must wait.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit).
    pub fn try_write_from(&self, bytes: &[u8]) -> Result<Option<usize>, NetworkError> {
        each!(self, stream => stream.try_write_from(bytes))
    }

    /// Ready when a write would not have to wait, be it for an error.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        each!(self, stream => stream.poll_writable(cx))
    }

    /// Sends a copy of as many bytes as possible, or waits.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit).
    pub fn poll_write_from(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, NetworkError>> {
        loop {
            if let Some(count) = self.try_write_from(bytes)? {
                return Poll::Ready(Ok(count));
            }
            ready!(self.poll_writable(cx));
        }
    }

    /// Says that nothing more will be written; the peer reads what is left and then the end.
    pub fn shutdown_write(&self) {
        each!(self, stream => stream.shutdown_write());
    }

    /// Says that nothing more will be read; reads see the end from now on.
    pub fn shutdown_read(&self) {
        each!(self, stream => stream.shutdown_read());
    }

    /// Ends the connection at once; the peer sees `ECONNRESET` after what it has received.
    pub fn reset(&self) {
        each!(self, stream => stream.reset());
    }

    /// Small writes are not held back to be joined with later ones, for code of the host that
    /// joins them itself.
    pub(crate) fn send_at_once(&self) {
        if let Self::Tcp(stream) = self {
            // A kernel that refuses a hint is no error.
            let _ = rustix::net::sockopt::set_tcp_nodelay(stream.socket(), true);
        }
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        match self {
            Self::Memory(stream) => StreamHandle::Memory(stream.handle()),
            Self::Tcp(stream) => StreamHandle::Tcp(stream.handle()),
            Self::Unix(stream) => StreamHandle::Unix(stream.handle()),
        }
    }

    /// Makes the options that have an effect take it.
    pub(crate) fn apply(&self, options: &TcpOptions) {
        match self {
            Self::Memory(stream) => stream.set_receive_buffer(options.receive_buffer),
            Self::Tcp(stream) => apply_to_kernel(stream.socket(), options),
            Self::Unix(_) => {}
        }
    }
}

/// Sets what a guest may set on a kernel's socket; a kernel that refuses a hint is no error.
fn apply_to_kernel(socket: &TcpStream, options: &TcpOptions) {
    use rustix::net::sockopt;
    // WASI has no word for it, and in memory nothing is ever held back: neither is it here.
    let _ = sockopt::set_tcp_nodelay(socket, true);
    let _ = sockopt::set_socket_keepalive(socket, options.keep_alive);
    if options.keep_alive {
        let _ = sockopt::set_tcp_keepidle(socket, options.keep_alive_idle);
        let _ = sockopt::set_tcp_keepintvl(socket, options.keep_alive_interval);
        let _ = sockopt::set_tcp_keepcnt(socket, options.keep_alive_count);
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(KernelStream::new(stream, None))
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(KernelStream::new(stream, None))
    }
}

/// Resets a connection from a distance, without keeping it alive.
pub(crate) enum StreamHandle {
    Memory(MemoryStreamHandle),
    Tcp(KernelStreamHandle<TcpStream>),
    Unix(KernelStreamHandle<UnixStream>),
}

impl StreamHandle {
    pub(crate) fn reset(&self) {
        match self {
            Self::Memory(handle) => handle.reset(),
            Self::Tcp(handle) => handle.reset(),
            Self::Unix(handle) => handle.reset(),
        }
    }
}

/// A stream that belongs to no runtime yet: it waits in a listener's queue.
///
/// A kernel's stream is watched by the runtime that accepts it for the guest, so that its events
/// wake the guest's own thread; the one that took it from the host port does not matter any more.
pub(crate) enum ParkedStream {
    Memory(MemoryStream),
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl ParkedStream {
    pub(crate) fn park(stream: Stream) -> Result<Self, NetworkError> {
        Ok(match stream {
            Stream::Memory(stream) => Self::Memory(stream),
            Stream::Tcp(stream) => Self::Tcp(stream.into_socket()?.into_std()?),
            Stream::Unix(stream) => Self::Unix(stream.into_socket()?.into_std()?),
        })
    }

    /// Hands the stream to the runtime of the caller, for a container.
    pub(crate) fn unpark(self, endpoint: &EndpointShared) -> Result<Stream, NetworkError> {
        Ok(match self {
            Self::Memory(stream) => Stream::Memory(stream),
            Self::Tcp(stream) => {
                has_runtime()?;
                let stream = TcpStream::from_std(stream)?;
                Stream::Tcp(KernelStream::new(stream, Some(endpoint.backing())))
            }
            Self::Unix(stream) => {
                has_runtime()?;
                let stream = UnixStream::from_std(stream)?;
                Stream::Unix(KernelStream::new(stream, Some(endpoint.backing())))
            }
        })
    }

    /// Ends a connection that nobody will accept.
    pub(crate) fn reset(self) {
        match self {
            Self::Memory(stream) => stream.reset(),
            Self::Tcp(stream) => {
                let linger = Some(std::time::Duration::ZERO);
                let _ = rustix::net::sockopt::set_socket_linger(&stream, linger);
            }
            Self::Unix(_closed_by_drop) => {}
        }
    }
}

fn has_runtime() -> Result<(), NetworkError> {
    // `from_std` would panic without one.
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(NetworkError::NotSupported),
    }
}

impl Stream {
    pub(crate) fn poll_read_buf(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if let Self::Memory(_) = self {
            // A chunk is copied once, into memory that need not be zeroed first.
            let bytes = ready!(self.poll_read_bytes(cx, buffer.remaining()))?;
            buffer.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let count = ready!(self.poll_read_into(cx, buffer.initialize_unfilled()))?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_buf(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(cx, bytes).map_err(io::Error::from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let written = match &*self {
                Self::Tcp(stream) => stream.try_write_vectored(slices)?,
                Self::Unix(stream) => stream.try_write_vectored(slices)?,
                Self::Memory(stream) => {
                    // The pipe takes a copy of each write as it is: one after the other.
                    let first = slices.iter().find(|slice| !slice.is_empty());
                    stream.try_write_from(first.map_or(&[], |slice| slice))?
                }
            };
            if let Some(count) = written {
                return Poll::Ready(Ok(count));
            }
            ready!(self.poll_writable(cx));
        }
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdown_write();
        Poll::Ready(Ok(()))
    }
}
