//! A queue that several hold: who waits for a message and who for room.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use super::IpcError;
use super::queue::{Message, Queue, QueueSize};
use super::quota::Share;
use super::wait::{Interrupt, Patience, wait};
use super::waiters::{Number, Waiters};
use crate::resources::memory::Held;

/// A message that the container of its sender pays for.
pub type ChargedMessage = Message<Held>;

/// A POSIX message queue. It lives until its name is gone and nobody has it open.
#[derive(Debug)]
pub struct MessageQueue {
    id: u64,
    state: Mutex<State>,
    _place: Share,
    _held: Held,
}

#[derive(Debug)]
struct State {
    queue: Queue<Held>,
    /// Who waits for a message.
    receivers: Waiters,
    /// Who waits for room.
    senders: Waiters,
}

/// What is in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStatus {
    /// What it was made for.
    pub size: QueueSize,
    /// Messages in it.
    pub messages: usize,
    /// Bytes of them all.
    pub bytes: usize,
}

impl MessageQueue {
    pub(super) fn new(id: u64, size: QueueSize, place: Share, held: Held) -> Self {
        let (receivers, senders) = (Waiters::default(), Waiters::default());
        let state = Mutex::new(State { queue: Queue::new(size), receivers, senders });
        Self { id, state, _place: place, _held: held }
    }

    /// Tells it from all others of the Pod.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What is in it now.
    pub fn status(&self) -> QueueStatus {
        let queue = &self.state().queue;
        QueueStatus { size: queue.size(), messages: queue.len(), bytes: queue.bytes() }
    }

    /// Puts a message in, as soon as there is room.
    ///
    /// # Errors
    /// [`IpcError::MessageSize`], [`IpcError::Invalid`] for its priority, and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: the message is sent when it returns, and else not.
    pub async fn send(
        &self,
        message: ChargedMessage,
        patience: Patience,
        interrupt: &Interrupt,
    ) -> Result<(), IpcError> {
        let size = self.state().queue.size();
        size.admits(message.body.len(), message.priority)?;
        let (mut message, mut turn) = (Some(message), self.turn(Side::Senders));
        wait(patience, interrupt, |context| self.poll_send(context, &mut turn, &mut message)).await
    }

    /// Takes the next message, as soon as there is one.
    ///
    /// # Errors
    /// [`IpcError::MessageSize`] where `room` is less than a message may have, and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: a message that it does not return stays.
    pub async fn receive(
        &self,
        room: usize,
        patience: Patience,
        interrupt: &Interrupt,
    ) -> Result<ChargedMessage, IpcError> {
        if room < self.state().queue.size().message_bytes {
            return Err(IpcError::MessageSize);
        }
        let mut turn = self.turn(Side::Receivers);
        wait(patience, interrupt, |context| self.poll_receive(context, &mut turn)).await
    }

    /// Waits until a message could be taken.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn readable(&self) {
        let mut turn = self.turn(Side::Receivers);
        poll_fn(|context| self.poll_readable(context, &mut turn)).await;
    }

    /// Waits until there is room for a message.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn writable(&self) {
        let mut turn = self.turn(Side::Senders);
        poll_fn(|context| self.poll_writable(context, &mut turn)).await;
    }

    pub(super) fn poll_readable(&self, context: &Context<'_>, turn: &mut Turn<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.queue.is_empty() {
            return Poll::Ready(());
        }
        state.receivers.add(&mut turn.number, context);
        Poll::Pending
    }

    pub(super) fn poll_writable(&self, context: &Context<'_>, turn: &mut Turn<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.queue.is_full() {
            return Poll::Ready(());
        }
        state.senders.add(&mut turn.number, context);
        Poll::Pending
    }

    fn poll_send(
        &self,
        context: &Context<'_>,
        turn: &mut Turn<'_>,
        place: &mut Option<ChargedMessage>,
    ) -> Poll<Result<(), IpcError>> {
        let mut state = self.state();
        let Some(message) = place.take() else { return Poll::Ready(Ok(())) };
        match state.queue.send(message) {
            Ok(()) => {
                let receivers = state.receivers.take();
                drop(state);
                receivers.wake();
                Poll::Ready(Ok(()))
            }
            Err(back) => {
                *place = Some(back);
                state.senders.add(&mut turn.number, context);
                Poll::Pending
            }
        }
    }

    fn poll_receive(
        &self,
        context: &Context<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<ChargedMessage, IpcError>> {
        let mut state = self.state();
        match state.queue.receive() {
            Some(message) => {
                let senders = state.senders.take();
                drop(state);
                senders.wake();
                Poll::Ready(Ok(message))
            }
            None => {
                state.receivers.add(&mut turn.number, context);
                Poll::Pending
            }
        }
    }

    /// A place among those who wait.
    pub(super) fn turn(&self, side: Side) -> Turn<'_> {
        Turn { queue: self, side, number: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Receivers,
    Senders,
}

/// A place among those who wait, given up when dropped.
pub(super) struct Turn<'queue> {
    queue: &'queue MessageQueue,
    side: Side,
    number: Number,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.number.is_none() {
            return;
        }
        let mut state = self.queue.state();
        match self.side {
            Side::Receivers => state.receivers.remove(self.number),
            Side::Senders => state.senders.remove(self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::resources::memory::ContainerMemory;
    use crate::sandbox::Stop;
    use crate::sandbox::ipc::quota::Quota;

    fn queue(messages: usize) -> MessageQueue {
        let (quota, memory) = (Quota::new(1), ContainerMemory::apart(1 << 20));
        let size = QueueSize { messages, message_bytes: 8 };
        MessageQueue::new(1, size, quota.take(1).unwrap(), memory.hold(1).unwrap())
    }

    fn message(priority: u32, text: &str) -> ChargedMessage {
        let charge = ContainerMemory::apart(1 << 20).hold(1).unwrap();
        Message { priority, body: text.as_bytes().into(), charge }
    }

    fn never_stopped() -> Interrupt {
        Interrupt::new(Stop::default())
    }

    async fn received(queue: &MessageQueue) -> Result<String, IpcError> {
        let message = queue.receive(8, Patience::Endless, &never_stopped()).await?;
        Ok(String::from_utf8(message.body.into_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken() {
        let queue = queue(1);
        let send = async {
            for text in ["one", "two", "three"] {
                queue.send(message(0, text), Patience::Endless, &never_stopped()).await.unwrap();
            }
        };
        let receive = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            [received(&queue).await, received(&queue).await, received(&queue).await]
        };
        let (texts, ()) = tokio::join!(receive, send);
        assert_eq!(texts, [Ok("one".into()), Ok("two".into()), Ok("three".into())]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gave_up_takes_no_message() {
        let queue = queue(2);
        let mut given_up = Box::pin(received(&queue));
        assert!(futures::poll!(&mut given_up).is_pending());
        let mut waiting = Box::pin(received(&queue));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(given_up);
        queue.send(message(0, "x"), Patience::None, &never_stopped()).await.unwrap();
        assert_eq!(waiting.await, Ok("x".to_owned()));
        let none = queue.receive(8, Patience::None, &never_stopped()).await.unwrap_err();
        assert_eq!(none, IpcError::WouldBlock);
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_those_of_posix() {
        let (queue, nobody) = (queue(1), never_stopped());
        let send = async |message, patience| queue.send(message, patience, &nobody).await;
        assert_eq!(
            send(message(0, "too long."), Patience::Endless).await,
            Err(IpcError::MessageSize)
        );
        assert_eq!(send(message(32_768, ""), Patience::Endless).await, Err(IpcError::Invalid));
        assert_eq!(send(message(32_767, ""), Patience::None).await, Ok(()));
        assert_eq!(send(message(0, ""), Patience::None).await, Err(IpcError::WouldBlock));
        let second = Patience::For(Duration::from_secs(1));
        assert_eq!(send(message(0, ""), second).await, Err(IpcError::TimedOut));
        let short = queue.receive(7, Patience::None, &nobody).await.unwrap_err();
        assert_eq!(short, IpcError::MessageSize);
        let expected = QueueStatus { size: queue.status().size, messages: 1, bytes: 0 };
        assert_eq!(queue.status(), expected);
    }
}
