//! A connection of the host's kernel (TCP or unix) with the same face as one in memory.
//!
//! The guest reads and writes the kernel's stream itself; there is no relay. One difference
//! remains: a kernel may take only a part of a write that was permitted. The rest is kept here and
//! sent before anything else, by a small task if the guest does not come back ([`Leftovers`]).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::NetworkError;
use super::lock::lock;
use super::pipe::FREE_CAPACITY;
use super::wakers::remember;
use crate::resources::memory::{ContainerMemory, Held};

/// The most that one write may hold; what the kernel does not take of it waits here.
const WRITE_PERMIT: usize = 64 * 1024;
/// How bytes are sent: never waiting, and without a signal for a peer that is gone.
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// Slices of no more than this together are copied into one buffer: that costs less than what a
/// kernel does to gather them.
const JOINED: usize = 512;
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

/// What stands behind the connections of a container: who sends what a kernel did not take at once, and
/// who pays for it meanwhile.
pub(crate) struct Backing {
    pub(crate) leftovers: Arc<Leftovers>,
    pub(crate) memory: Arc<ContainerMemory>,
}

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
    /// What is paid for `unsent`; nobody pays for a connection of the host.
    held: Option<Held>,
    finished: bool,
    failed: Option<NetworkError>,
    /// The kernel took nothing the last time.
    blocked: bool,
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
    pub(crate) fn new(socket: Socket, backing: Option<Backing>) -> Self {
        let (leftovers, held) = match backing {
            Some(Backing { leftovers, memory }) => (Some(leftovers), Some(Held::nothing(&memory))),
            None => (None, None),
        };
        let inner = Inner {
            socket,
            read_shut: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            outgoing: Mutex::new(Outgoing { held, ..Outgoing::default() }),
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
        let mut drained = None;
        let read = socket.try_io(Interest::READABLE, || {
            let count = rustix::net::recv(socket, &mut *buffer, RecvFlags::DONTWAIT)?.0;
            if 0 < count && count < buffer.len() {
                // There is no more: tokio may know it now, and not by one more call in vain. Its
                // own streams do the same.
                drained = Some(count);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        self.inner.outcome(drained.map_or(read, Ok))
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
        // What the kernel will take shows when it is asked; asking twice would cost a call each time.
        Ok(match (outgoing.unsent.is_empty(), &outgoing.held) {
            (false, _) => 0,
            (true, Some(held)) if !held.memory().can_hold(WRITE_PERMIT) => FREE_CAPACITY,
            (true, _) => WRITE_PERMIT,
        })
    }

    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), NetworkError> {
        let mut outgoing = lock(&self.inner.outgoing);
        outgoing.writable()?;
        if bytes.is_empty() {
            return Ok(());
        }
        outgoing.unsent.push_back(bytes);
        self.inner.send_unsent(&mut outgoing)?;
        outgoing.pay()?;
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
        self.try_write_by(|blocked| self.inner.try_send(bytes, blocked))
    }

    /// As [`try_write_from`](Self::try_write_from), from several buffers.
    pub(crate) fn try_write_vectored(
        &self,
        slices: &[IoSlice<'_>],
    ) -> Result<Option<usize>, NetworkError> {
        let mut joined = [0; JOINED];
        let mut length = 0;
        for slice in slices {
            let Some(place) = joined.get_mut(length..length + slice.len()) else {
                return self.try_write_by(|blocked| self.inner.try_send_vectored(slices, blocked));
            };
            place.copy_from_slice(slice);
            length += slice.len();
        }
        self.try_write_from(&joined[..length])
    }

    fn try_write_by(
        &self,
        send: impl FnOnce(&mut bool) -> Result<Option<usize>, NetworkError>,
    ) -> Result<Option<usize>, NetworkError> {
        let mut outgoing = lock(&self.inner.outgoing);
        outgoing.writable()?;
        self.inner.send_unsent(&mut outgoing)?;
        if !outgoing.unsent.is_empty() {
            return Ok(None);
        }
        let sent = send(&mut outgoing.blocked);
        outgoing.remember(sent)
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let mut outgoing = lock(&self.inner.outgoing);
            if outgoing.writable().is_err() {
                return Poll::Ready(());
            }
            if outgoing.task_runs {
                remember(&mut outgoing.waiter, cx);
                return Poll::Pending;
            }
            if !outgoing.blocked {
                return Poll::Ready(());
            }
        }
        // An error is for the next write to report.
        let _ = ready!(self.inner.poll_flush(cx));
        let ready = self.inner.socket.poll_write_ready(cx).map(|_outcome| ());
        if ready.is_ready() {
            lock(&self.inner.outgoing).blocked = false;
        }
        ready
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

    /// Pays for what is unsent; a little is paid with the socket.
    fn pay(&mut self) -> Result<(), NetworkError> {
        let Some(held) = &mut self.held else { return Ok(()) };
        let unsent: usize = self.unsent.iter().map(Bytes::len).sum();
        let paid = held.set(unsent.saturating_sub(FREE_CAPACITY));
        let paid = paid.map_err(|_| NetworkError::NoBuffers);
        self.remember(paid)
    }

    /// Gives back what was paid, when nothing is unsent any more.
    fn repay(&mut self) {
        if let Some(held) = &mut self.held
            && held.bytes() > 0
        {
            let less = held.set(0);
            debug_assert!(less.is_ok(), "less is always granted");
        }
    }

    fn remember<Value>(
        &mut self,
        outcome: Result<Value, NetworkError>,
    ) -> Result<Value, NetworkError> {
        if let Err(error) = &outcome {
            self.failed = Some(*error);
            self.unsent.clear();
            self.repay();
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

    /// Sends what the kernel takes; `blocked` tells whether it took nothing.
    fn try_send(&self, bytes: &[u8], blocked: &mut bool) -> Result<Option<usize>, NetworkError> {
        self.try_send_by(blocked, || Ok(rustix::net::send(&self.socket, bytes, SEND)?))
    }

    fn try_send_vectored(
        &self,
        slices: &[IoSlice<'_>],
        blocked: &mut bool,
    ) -> Result<Option<usize>, NetworkError> {
        self.try_send_by(blocked, || {
            let mut nothing = SendAncillaryBuffer::default();
            Ok(rustix::net::sendmsg(&self.socket, slices, &mut nothing, SEND)?)
        })
    }

    fn try_send_by(
        &self,
        blocked: &mut bool,
        send: impl Fn() -> io::Result<usize>,
    ) -> Result<Option<usize>, NetworkError> {
        // Straight to the kernel: tokio takes a fresh socket for unwritable until its reactor has
        // turned. Only when the kernel is full must tokio hear of it.
        let sent = match send() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.try_io(Interest::WRITABLE, &send)
            }
            sent => sent,
        };
        let sent = self.outcome(sent)?;
        *blocked = sent.is_none();
        Ok(sent)
    }

    /// Sends as much of the rest as the kernel takes now.
    fn send_unsent(&self, outgoing: &mut Outgoing) -> Result<(), NetworkError> {
        while let Some(chunk) = outgoing.unsent.front_mut() {
            match self.try_send(chunk, &mut outgoing.blocked) {
                Ok(None) => return Ok(()),
                Ok(Some(count)) if count == chunk.len() => {
                    outgoing.unsent.pop_front();
                }
                Ok(Some(count)) => chunk.advance(count),
                Err(error) => return outgoing.remember(Err(error)),
            }
        }
        outgoing.repay();
        Ok(())
    }

    /// Ready when nothing is left to send, or nothing more can be.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        loop {
            {
                let mut outgoing = lock(&self.outgoing);
                let sent = self.send_unsent(&mut outgoing);
                if sent.is_err() || outgoing.unsent.is_empty() {
                    return Poll::Ready(self.flushed(outgoing, sent));
                }
            }
            if let Err(error) = ready!(self.socket.poll_write_ready(cx)) {
                let mut outgoing = lock(&self.outgoing);
                let failed = outgoing.remember(Err(error.into()));
                return Poll::Ready(self.flushed(outgoing, failed));
            }
        }
    }

    /// From here on a writer waits for the kernel itself, and a shutdown that waited is done. Under
    /// the same lock as the last send: a write in between must find either a task or none.
    fn flushed(
        &self,
        mut outgoing: MutexGuard<'_, Outgoing>,
        outcome: Result<(), NetworkError>,
    ) -> Result<(), NetworkError> {
        if outcome.is_ok() && outgoing.finished {
            self.shutdown(Shutdown::Write);
        }
        outgoing.task_runs = false;
        let waiter = outgoing.waiter.take();
        drop(outgoing);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
        outcome
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
        {
            let mut outgoing = lock(&self.outgoing);
            outgoing.unsent.clear();
            outgoing.repay();
        }
        // With a linger of zero the close that follows is a reset on the wire; a unix stream ignores it.
        let _ =
            rustix::net::sockopt::set_socket_linger(&self.socket, Some(std::time::Duration::ZERO));
        self.shutdown(Shutdown::Both);
    }
}
