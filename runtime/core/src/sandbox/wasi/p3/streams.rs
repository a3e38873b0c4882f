//! The streams of 0.3 at a socket's side: connections to accept, bytes to receive and to send.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};
use wasmtime::component::{
    Destination, Resource, Source, StreamConsumer, StreamProducer, StreamResult,
};
use wasmtime::{AsContextMut as _, StoreContextMut};
use wasmtime_wasi::p3::bindings::sockets::types::{self, ErrorCode};

use super::error::code;
use super::handle::Handle as _;
use crate::sandbox::network::{NetworkError, TcpAcceptor, TcpReceiveHalf, TcpSendHalf, TcpSocket};
use crate::sandbox::wasi::NetworkCtxView;

/// What a read by host code takes at once; a guest's own read brings its own buffer.
const HOST_READ: usize = 8192;

/// When to try again after there was no room or memory for one more socket: nobody says when there is.
const RETRY: Duration = Duration::from_millis(10);

/// How a stream of bytes ended, for the future that comes with it.
pub(super) type Ending = Result<(), ErrorCode>;

/// Accepted connections, one socket each.
pub(super) struct Incoming<T> {
    acceptor: TcpAcceptor,
    view: for<'a> fn(&'a mut T) -> NetworkCtxView<'a>,
    retry: Option<Pin<Box<Sleep>>>,
}

impl<T> Incoming<T> {
    pub(super) fn new(
        acceptor: TcpAcceptor,
        view: for<'a> fn(&'a mut T) -> NetworkCtxView<'a>,
    ) -> Self {
        Self { acceptor, view, retry: None }
    }

    /// The next connection; while the container holds too many sockets it stays queued.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<Result<TcpSocket, NetworkError>> {
        loop {
            if let Some(retry) = &mut self.retry {
                ready!(retry.as_mut().poll(context));
                self.retry = None;
            }
            match ready!(self.acceptor.poll_accept(context)) {
                Err(NetworkError::SocketLimit | NetworkError::NoBuffers) => {
                    self.retry = Some(Box::pin(sleep(RETRY)))
                }
                accepted => return Poll::Ready(accepted),
            }
        }
    }
}

impl<T: 'static> StreamProducer<T> for Incoming<T> {
    type Item = Resource<types::TcpSocket>;
    type Buffer = Option<Self::Item>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of nothing asks whether a read would wait.
        if destination.remaining(&mut store) == Some(0) {
            return completed(self.acceptor.poll_ready(context), finish);
        }
        loop {
            match self.poll_accept(context) {
                Poll::Ready(Ok(socket)) => {
                    let Ok(socket) = socket.push((self.view)(store.data_mut()).table) else {
                        // No handle for it: it is closed, as a kernel at its end would.
                        self.retry = Some(Box::pin(sleep(RETRY)));
                        continue;
                    };
                    destination.set_buffer(Some(socket));
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                // Its container has ended; a stream has no errors, it only ends.
                Poll::Ready(Err(_)) => return Poll::Ready(Ok(StreamResult::Dropped)),
                Poll::Pending => return waiting(finish),
            }
        }
    }
}

/// What arrives on a connection.
pub(super) struct Receiving(Option<(TcpReceiveHalf, oneshot::Sender<Ending>)>);

impl Receiving {
    pub(super) fn new(half: TcpReceiveHalf, ending: oneshot::Sender<Ending>) -> Self {
        Self(Some((half, ending)))
    }

    fn close(&mut self, ending: Ending) {
        if let Some((_, sender)) = self.0.take() {
            let _ = sender.send(ending);
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.close(Ok(()));
    }
}

impl<T> StreamProducer<T> for Receiving {
    type Item = u8;
    type Buffer = bytes::BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Some((half, _)) = &self.0 else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        if destination.remaining(store.as_context_mut()) == Some(0) {
            return completed(half.poll_ready(context), finish);
        }
        let mut destination = destination.as_direct(store, HOST_READ);
        match half.poll_read_into(context, destination.remaining()) {
            Poll::Ready(Ok(0)) => {
                self.close(Ok(()));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Ready(Ok(count)) => {
                destination.mark_written(count);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(Err(error)) => {
                self.close(Err(code(error)));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending => waiting(finish),
        }
    }
}

/// What a guest sends on a connection.
pub(super) struct Sending(Option<(TcpSendHalf, oneshot::Sender<Ending>)>);

impl Sending {
    pub(super) fn new(half: TcpSendHalf, ending: oneshot::Sender<Ending>) -> Self {
        Self(Some((half, ending)))
    }

    fn close(&mut self, ending: Ending) {
        if let Some((_, sender)) = self.0.take() {
            let _ = sender.send(ending);
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.close(Ok(()));
    }
}

impl<T> StreamConsumer<T> for Sending {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<T>,
        source: Source<Self::Item>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Some((half, _)) = &self.0 else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let mut source = source.as_direct(store);
        if source.remaining().is_empty() {
            return completed(half.poll_ready(context), finish);
        }
        match half.poll_write(context, source.remaining()) {
            Poll::Ready(Ok(count)) => {
                source.mark_read(count);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(Err(error)) => {
                self.close(Err(code(error)));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending => waiting(finish),
        }
    }
}

fn completed(ready: Poll<()>, finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
    match ready {
        Poll::Ready(()) => Poll::Ready(Ok(StreamResult::Completed)),
        Poll::Pending => waiting(finish),
    }
}

/// Nothing yet: the guest waits on, or has it cancelled when it does not want to.
fn waiting(finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
    if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending }
}
