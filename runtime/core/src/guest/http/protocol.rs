//! Which HTTP a client speaks: 1.1, or 2 by prior knowledge (RFC 9113 3.3), as gRPC clients do.
//!
//! The first bytes tell. What was read to find out is read again by whoever serves the connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::sandbox::network::MeteredStream;

/// What a client of HTTP/2 says first; in HTTP/1 it would be a request with an unknown method.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is clear what the client speaks.
///
/// # Errors
/// Of the connection; `UnexpectedEof` when it ended without a byte.
pub(crate) async fn detect(mut stream: MeteredStream) -> io::Result<(Protocol, Rewound)> {
    let mut first = [0; PREFACE.len()];
    let mut length = 0;
    let protocol = loop {
        let count = stream.read(&mut first[length..]).await?;
        length += count;
        if first[..length] != PREFACE[..length] {
            break Protocol::Http1;
        }
        if length == PREFACE.len() {
            break Protocol::Http2;
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    Ok((protocol, Rewound { first, next: 0, length, stream }))
}

/// A connection of which the first bytes are read again.
pub(crate) struct Rewound {
    first: [u8; PREFACE.len()],
    next: usize,
    length: usize,
    stream: MeteredStream,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = &self.first[self.next..self.length];
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        self.next += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
