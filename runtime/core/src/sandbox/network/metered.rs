//! A connection at a container's side: a [`Stream`] that counts what passes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::options::TcpOptions;
use super::traffic::Traffic;
use super::{NetworkError, Stream};

/// An open connection of a container. It has the two faces of a [`Stream`], and closes as one.
#[derive(Debug)]
pub struct MeteredStream {
    stream: Stream,
    traffic: Arc<Traffic>,
}

impl MeteredStream {
    pub(super) fn new(stream: Stream, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic }
    }

    /// As [`Stream::try_read`].
    ///
    /// # Errors
    /// As there.
    pub fn try_read(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        let read = self.stream.try_read(max)?;
        if let Some(bytes) = &read {
            self.traffic.received(bytes.len());
        }
        Ok(read)
    }

    /// As [`Stream::try_read_into`].
    ///
    /// # Errors
    /// As there.
    pub fn try_read_into(&self, buffer: &mut [u8]) -> Result<Option<usize>, NetworkError> {
        let read = self.stream.try_read_into(buffer)?;
        self.traffic.received(read.unwrap_or(0));
        Ok(read)
    }

    /// As [`Stream::poll_readable`].
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_readable(cx)
    }

    /// As [`Stream::poll_read_bytes`].
    ///
    /// # Errors
    /// As there.
    pub fn poll_read_bytes(
        &self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Bytes, NetworkError>> {
        let bytes = ready!(self.stream.poll_read_bytes(cx, max))?;
        self.traffic.received(bytes.len());
        Poll::Ready(Ok(bytes))
    }

    /// As [`Stream::poll_read_into`].
    ///
    /// # Errors
    /// As there.
    pub fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, NetworkError>> {
        let count = ready!(self.stream.poll_read_into(cx, buffer))?;
        self.traffic.received(count);
        Poll::Ready(Ok(count))
    }

    pub(crate) fn poll_read_buf(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream.poll_read_buf(cx, buffer))?;
        self.traffic.received(buffer.filled().len().saturating_sub(before));
        Poll::Ready(Ok(()))
    }

    /// As [`Stream::write_permit`].
    ///
    /// # Errors
    /// As there.
    pub fn write_permit(&self) -> Result<usize, NetworkError> {
        self.stream.write_permit()
    }

    /// As [`Stream::write`].
    ///
    /// # Errors
    /// As there.
    pub fn write(&self, bytes: Bytes) -> Result<(), NetworkError> {
        let count = bytes.len();
        self.stream.write(bytes)?;
        self.traffic.sent(count);
        Ok(())
    }

    /// As [`Stream::try_write_from`].
    ///
    /// # Errors
    /// As there.
    pub fn try_write_from(&self, bytes: &[u8]) -> Result<Option<usize>, NetworkError> {
        let written = self.stream.try_write_from(bytes)?;
        self.traffic.sent(written.unwrap_or(0));
        Ok(written)
    }

    /// As [`Stream::poll_writable`].
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_writable(cx)
    }

    /// As [`Stream::poll_write_from`].
    ///
    /// # Errors
    /// As there.
    pub fn poll_write_from(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, NetworkError>> {
        let count = ready!(self.stream.poll_write_from(cx, bytes))?;
        self.traffic.sent(count);
        Poll::Ready(Ok(count))
    }

    /// As [`Stream::shutdown_write`].
    pub fn shutdown_write(&self) {
        self.stream.shutdown_write();
    }

    /// As [`Stream::shutdown_read`].
    pub fn shutdown_read(&self) {
        self.stream.shutdown_read();
    }

    /// As [`Stream::reset`].
    pub fn reset(&self) {
        self.stream.reset();
    }

    pub(crate) fn send_at_once(&self) {
        self.stream.send_at_once();
    }

    pub(super) fn apply(&self, options: &TcpOptions) {
        self.stream.apply(options);
    }

    #[cfg(test)]
    pub(super) fn carrier(&self) -> &Stream {
        &self.stream
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_buf(cx, buffer)
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(cx, bytes).map_err(io::Error::from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.traffic.sent(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
