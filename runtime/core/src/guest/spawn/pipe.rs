//! A pipe between two processes of a session.
//!
//! Its buffer is an [`InputPipe`], which any guest reads as its standard input. What a kernel's pipe
//! has besides: any number of writers, and the news that nobody will read. Each end lives as long as
//! its last clone.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::guest::stdio::{INPUT_CAPACITY, InputPipe, InputWriter, Output, input_pipe};
use crate::resources::memory::{ContainerMemory, Held, OutOfMemory};

/// The buffer and the one write that may go beyond it.
const HELD: usize = 2 * INPUT_CAPACITY;

/// The end that is read.
#[derive(Clone)]
pub(super) struct ReadEnd {
    pub(super) pipe: InputPipe,
    _readers: Arc<Readers>,
}

/// The end that is written to.
#[derive(Clone)]
pub(super) struct WriteEnd {
    writer: Arc<InputWriter>,
    shared: Arc<Shared>,
}

/// Nobody reads any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

struct Shared {
    broken: AtomicBool,
    /// Who wants to know of the break.
    waiting: Mutex<Vec<Waker>>,
    _held: Held,
}

/// All clones of a read end.
struct Readers(Arc<Shared>);

/// A pipe on the container's memory.
///
/// # Errors
/// There is none left for its buffer.
pub(super) fn pipe(memory: &Arc<ContainerMemory>) -> Result<(ReadEnd, WriteEnd), OutOfMemory> {
    let shared = Arc::new(Shared {
        broken: AtomicBool::new(false),
        waiting: Mutex::default(),
        _held: memory.hold(HELD)?,
    });
    let (writer, pipe) = input_pipe();
    let readers = Arc::new(Readers(Arc::clone(&shared)));
    Ok((ReadEnd { pipe, _readers: readers }, WriteEnd { writer: Arc::new(writer), shared }))
}

impl WriteEnd {
    /// Writes as much of `bytes` as there is room for.
    pub(super) fn poll_write(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Broken>> {
        let room = std::task::ready!(self.poll_room(context))?;
        let length = room.min(bytes.len());
        self.writer.push(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        // First the place on the list: a break after it wakes, one before it is seen.
        self.shared.wait(context);
        if self.shared.broken.load(Ordering::Acquire) {
            return Poll::Ready(Err(Broken));
        }
        self.writer.poll_room(context).map(Ok)
    }
}

impl Shared {
    fn wait(&self, context: &Context<'_>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.broken.store(true, Ordering::Release);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut *waiting);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// A pipe as the output of a guest that knows of none: it ends by a write that nobody will read, as
/// a process does by `SIGPIPE`.
pub(super) struct PipeOutput<End: Fn() + Send + Sync + 'static> {
    pub(super) pipe: WriteEnd,
    /// Ends the guest.
    pub(super) end: End,
}

impl<End: Fn() + Send + Sync + 'static> Output for PipeOutput<End> {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.pipe.shared.broken.load(Ordering::Acquire) {
            (self.end)();
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.pipe.writer.push(bytes);
        Ok(())
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        match self.pipe.poll_room(context) {
            Poll::Ready(Ok(_)) => Poll::Ready(()),
            // It must not see an error that it would complain about before it ends.
            Poll::Ready(Err(Broken)) => {
                (self.end)();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::resources::memory::{Exceeded, PodMemory};

    fn memory() -> Arc<ContainerMemory> {
        PodMemory::new(1 << 20).container("web", None, Exceeded::Deny)
    }

    async fn write(end: &WriteEnd, bytes: &[u8]) -> Result<usize, Broken> {
        poll_fn(|context| end.poll_write(context, bytes)).await
    }

    #[tokio::test]
    async fn a_pipe_has_an_end_when_its_last_writer_is_gone() {
        let (read, writer) = pipe(&memory()).unwrap();
        let other = writer.clone();
        assert_eq!(write(&writer, b"one ").await, Ok(4));
        drop(writer);
        assert_eq!(write(&other, b"two").await, Ok(3));
        assert_eq!(read.pipe.take(100).unwrap(), "one two");
        assert_eq!(read.pipe.take(100).unwrap(), "");
        drop(other);
        assert_eq!(read.pipe.take(100), None);
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_and_learns_that_nobody_reads() {
        let (read, writer) = pipe(&memory()).unwrap();
        let more = vec![b'x'; 2 * INPUT_CAPACITY];
        assert_eq!(write(&writer, &more).await, Ok(INPUT_CAPACITY));
        let mut blocked = Box::pin(write(&writer, b"more"));
        assert!(futures::poll!(&mut blocked).is_pending());
        assert_eq!(read.pipe.take(10).unwrap().len(), 10);
        assert_eq!(blocked.await, Ok(4));
        let filled = write(&writer, &more).await.unwrap();
        assert_eq!(filled, 6);
        let (gone, ()) = tokio::join!(write(&writer, b"more"), async { drop(read) });
        assert_eq!(gone, Err(Broken));
    }

    #[tokio::test]
    async fn its_buffer_is_the_containers_memory() {
        let memory = memory();
        let ends = pipe(&memory).unwrap();
        assert_eq!(memory.of_host(), HELD);
        drop(ends.0);
        assert_eq!(memory.of_host(), HELD);
        drop(ends.1);
        assert_eq!(memory.of_host(), 0);
    }
}
