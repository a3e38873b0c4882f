//! A connection of the host's kernel (TCP or unix) with the same face as one in memory.
//!
//! The guest reads and writes the kernel's stream itself; there is no relay. One difference
//! remains: a kernel may take only a part of a write that was permitted. The rest is kept here and
//! sent before anything else, by a small task if the guest does not come back ([`Leftovers`]).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::NetworkError;
use super::lock::lock;

/// The most that one write may hold; what the kernel does not take of it waits here.
const WRITE_PERMIT: usize = 64 * 1024;
/// The most that one read asks the kernel for.
const READ_SIZE: usize = 64 * 1024;

/// The part of tokio's two stream types that is used here.
pub trait KernelSocket: AsFd + Send + Sync + 'static {
    /// As [`TcpStream::poll_read_ready`].
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// As [`TcpStream::poll_write_ready`].
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// As [`TcpStream::try_io`].
    fn try_io<Output>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<Output>,
    ) -> io::Result<Output>;
}

macro_rules! kernel_socket {
    ($socket:ty) => {
        impl KernelSocket for $socket {
            fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                <$socket>::poll_read_ready(self, cx)
            }
            fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                <$socket>::poll_write_ready(self, cx)
            }
            fn try_io<Output>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<Output>,
            ) -> io::Result<Output> {
                <$socket>::try_io(self, interest, operation)
            }
        }
    };
}
kernel_socket!(TcpStream);
kernel_socket!(UnixStream);

/// Sends what a kernel did not take at once; dropping it gives the rest up.
#[derive(Default)]
pub(crate) struct Leftovers {
    tasks: Mutex<JoinSet<()>>,
}

impl Leftovers {
    fn send<Socket: KernelSocket>(&self, stream: Arc<Inner<Socket>>) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // An error shows itself at the guest's next call.
            let _ = poll_fn(|cx| stream.poll_flush(cx)).await;
            lock(&stream.outgoing).task_runs = false;
        });
    }
}

/// A stream of the host's kernel.
pub struct KernelStream<Socket: KernelSocket> {
    inner: Arc<Inner<Socket>>,
}

struct Inner<Socket> {
    socket: Socket,
    read_shut: AtomicBool,
    reset: AtomicBool,
    outgoing: Mutex<Outgoing>,
    leftovers: Option<Arc<Leftovers>>,
}

#[derive(Default)]
struct Outgoing {
    unsent: VecDeque<Bytes>,
    finished: bool,
    failed: Option<NetworkError>,
    task_runs: bool,
    /// Who waits for `unsent` to become empty while the task waits for the kernel: tokio remembers
    /// one writer per socket.
    waiter: Option<Waker>,
}

/// Resets a connection from a distance, without keeping it alive.
pub(crate) struct KernelStreamHandle<Socket: KernelSocket>(Weak<Inner<Socket>>);

impl<Socket: KernelSocket> KernelStreamHandle<Socket> {
    pub(crate) fn reset(&self) {
        if let Some(inner) = self.0.upgrade() {
            inner.reset();
        }
    }
}

impl<Socket: KernelSocket> KernelStream<Socket> {
    pub(crate) fn new(socket: Socket, leftovers: Option<Arc<Leftovers>>) -> Self {
        let inner = Inner {
            socket,
            read_shut: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            outgoing: Mutex::default(),
            leftovers,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The socket itself, for its options.
    pub(crate) fn socket(&self) -> &Socket {
        &self.inner.socket
    }

    /// Gives the socket back, unless bytes of it are still on their way out.
    pub(crate) fn into_socket(self) -> Result<Socket, NetworkError> {
        match Arc::try_unwrap(self.inner) {
            Ok(inner) => Ok(inner.socket),
            Err(_shared) => Err(NetworkError::InvalidState),
        }
    }

    pub(crate) fn handle(&self) -> KernelStreamHandle<Socket> {
        KernelStreamHandle(Arc::downgrade(&self.inner))
    }

    pub(crate) fn try_read(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        if self.inner.read_shut.load(Ordering::Relaxed) {
            return Ok(Some(Bytes::new()));
        }
        let socket = &self.inner.socket;
        // The buffer is made only once the kernel has something for it.
        let read = socket.try_io(Interest::READABLE, || {
            let mut buffer = Vec::with_capacity(max.min(READ_SIZE));
            rustix::net::recv(socket, spare_capacity(&mut buffer), RecvFlags::DONTWAIT)?;
            Ok(buffer)
        });
        self.inner.outcome(read).map(|buffer| buffer.map(Bytes::from))
    }

    pub(crate) fn try_read_into(&self, buffer: &mut [u8]) -> Result<Option<usize>, NetworkError> {
        if buffer.is_empty() || self.inner.read_shut.load(Ordering::Relaxed) {
            return Ok(Some(0));
        }
        let socket = &self.inner.socket;
        let read = socket.try_io(Interest::READABLE, || {
            Ok(rustix::net::recv(socket, buffer, RecvFlags::DONTWAIT)?.0)
        });
        self.inner.outcome(read)
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.inner.read_shut.load(Ordering::Relaxed) || self.inner.reset.load(Ordering::Relaxed)
        {
            return Poll::Ready(());
        }
        self.inner.socket.poll_read_ready(cx).map(|_outcome| ())
    }

    pub(crate) fn write_permit(&self) -> Result<usize, NetworkError> {
        let mut outgoing = lock(&self.inner.outgoing);
        outgoing.writable()?;
        self.inner.send_unsent(&mut outgoing)?;
        if !outgoing.unsent.is_empty() {
            return Ok(0);
        }
        drop(outgoing);
        // With no task to finish it, a write that the kernel would not take is not permitted.
        let mut nobody = Context::from_waker(Waker::noop());
        match self.inner.socket.poll_write_ready(&mut nobody) {
            Poll::Pending => Ok(0),
            Poll::Ready(_) => Ok(WRITE_PERMIT),
        }
    }

    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), NetworkError> {
        let mut outgoing = lock(&self.inner.outgoing);
        outgoing.writable()?;
        if bytes.is_empty() {
            return Ok(());
        }
        outgoing.unsent.push_back(bytes);
        self.inner.send_unsent(&mut outgoing)?;
        if !outgoing.unsent.is_empty()
            && !outgoing.task_runs
            && let Some(leftovers) = &self.inner.leftovers
            && tokio::runtime::Handle::try_current().is_ok()
        {
            outgoing.task_runs = true;
            drop(outgoing);
            leftovers.send(Arc::clone(&self.inner));
        }
        Ok(())
    }

    pub(crate) fn try_write_from(&self, bytes: &[u8]) -> Result<Option<usize>, NetworkError> {
        let mut outgoing = lock(&self.inner.outgoing);
        outgoing.writable()?;
        self.inner.send_unsent(&mut outgoing)?;
        if !outgoing.unsent.is_empty() {
            return Ok(None);
        }
        let sent = self.inner.try_send(bytes);
        outgoing.remember(sent)
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let mut outgoing = lock(&self.inner.outgoing);
            if outgoing.writable().is_err() {
                return Poll::Ready(());
            }
            if outgoing.task_runs {
                super::wakers::remember(&mut outgoing.waiter, cx);
                return Poll::Pending;
            }
        }
        // An error is for the next write to report.
        let _ = ready!(self.inner.poll_flush(cx));
        self.inner.socket.poll_write_ready(cx).map(|_outcome| ())
    }

    pub(crate) fn shutdown_write(&self) {
        let mut outgoing = lock(&self.inner.outgoing);
        if !std::mem::replace(&mut outgoing.finished, true) && outgoing.unsent.is_empty() {
            self.inner.shutdown(Shutdown::Write);
        }
    }

    pub(crate) fn shutdown_read(&self) {
        if !self.inner.read_shut.swap(true, Ordering::Relaxed) {
            self.inner.shutdown(Shutdown::Read);
        }
    }

    pub(crate) fn reset(&self) {
        self.inner.reset();
    }
}

impl<Socket: KernelSocket> std::fmt::Debug for KernelStream<Socket> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KernelStream").finish_non_exhaustive()
    }
}

impl Outgoing {
    fn writable(&self) -> Result<(), NetworkError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.finished => Err(NetworkError::BrokenPipe),
            None => Ok(()),
        }
    }

    fn remember<Value>(
        &mut self,
        outcome: Result<Value, NetworkError>,
    ) -> Result<Value, NetworkError> {
        if let Err(error) = &outcome {
            self.failed = Some(*error);
            self.unsent.clear();
        }
        outcome
    }
}

impl<Socket: KernelSocket> Inner<Socket> {
    /// Would-block is no error here, and a reset of ours wins over what the kernel says.
    fn outcome<Value>(&self, result: io::Result<Value>) -> Result<Option<Value>, NetworkError> {
        if self.reset.load(Ordering::Relaxed) {
            return Err(NetworkError::ConnectionReset);
        }
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn try_send(&self, bytes: &[u8]) -> Result<Option<usize>, NetworkError> {
        let sent = self.socket.try_io(Interest::WRITABLE, || {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            Ok(rustix::net::send(&self.socket, bytes, flags)?)
        });
        self.outcome(sent)
    }

    /// Sends as much of the rest as the kernel takes now.
    fn send_unsent(&self, outgoing: &mut Outgoing) -> Result<(), NetworkError> {
        while let Some(chunk) = outgoing.unsent.front_mut() {
            match self.try_send(chunk) {
                Ok(None) => return Ok(()),
                Ok(Some(count)) if count == chunk.len() => {
                    outgoing.unsent.pop_front();
                }
                Ok(Some(count)) => chunk.advance(count),
                Err(error) => return outgoing.remember(Err(error)),
            }
        }
        Ok(())
    }

    /// Ready when nothing is left to send.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        loop {
            let (outcome, waiter) = {
                let mut outgoing = lock(&self.outgoing);
                let sent = self.send_unsent(&mut outgoing);
                if sent.is_ok() && !outgoing.unsent.is_empty() {
                    (None, None)
                } else {
                    if sent.is_ok() && outgoing.finished {
                        self.shutdown(Shutdown::Write);
                    }
                    // From here on a writer may wait for the kernel itself.
                    outgoing.task_runs = false;
                    (Some(sent), outgoing.waiter.take())
                }
            };
            if let Some(waiter) = waiter {
                waiter.wake();
            }
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
            ready!(self.socket.poll_write_ready(cx))?;
        }
    }

    fn shutdown(&self, how: Shutdown) {
        let how = match how {
            Shutdown::Read => rustix::net::Shutdown::Read,
            Shutdown::Write => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        };
        // It fails only for a connection that is gone already.
        let _ = rustix::net::shutdown(&self.socket, how);
    }

    fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        lock(&self.outgoing).unsent.clear();
        // With a linger of zero the close that follows is a reset on the wire; a unix stream ignores it.
        let _ =
            rustix::net::sockopt::set_socket_linger(&self.socket, Some(std::time::Duration::ZERO));
        self.shutdown(Shutdown::Both);
    }
}
