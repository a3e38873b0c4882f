//! A queue of typed messages that several hold.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use super::IpcError;
use super::quota::Share;
use super::typed_queue::{TypedMessage, TypedQueue, Wanted};
use super::wait::{Interrupt, Patience, wait};
use super::waiters::{Number, Waiters};
use crate::resources::memory::Held;

/// A message that the container of its sender pays for.
pub type ChargedTypedMessage = TypedMessage<Held>;

/// A System V message queue. It lives until it is removed.
#[derive(Debug)]
pub struct KeyedQueue {
    /// 0 for one that has none.
    key: u32,
    /// Bytes of one message, at most.
    message_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: TypedQueue<Held>,
    /// Who waits for a message or for room; what comes or goes may suit any of them.
    waiting: Waiters,
    /// What it holds until it is removed.
    life: Option<(Share, Held)>,
}

/// What is in such a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedQueueStatus {
    /// Messages in it.
    pub messages: usize,
    /// Bytes of them all.
    pub bytes: usize,
    /// How many bytes there may be.
    pub most_bytes: usize,
}

impl KeyedQueue {
    pub(super) fn new(key: u32, message_bytes: usize, most: usize, life: (Share, Held)) -> Self {
        let (queue, waiting) = (TypedQueue::new(most), Waiters::default());
        let state = Mutex::new(State { queue, waiting, life: Some(life) });
        Self { key, message_bytes, state }
    }

    pub(super) fn key(&self) -> u32 {
        self.key
    }

    /// What is in it now.
    ///
    /// # Errors
    /// [`IpcError::Removed`]
    pub fn status(&self) -> Result<KeyedQueueStatus, IpcError> {
        let state = self.live()?;
        let queue = &state.queue;
        Ok(KeyedQueueStatus {
            messages: queue.len(),
            bytes: queue.bytes(),
            most_bytes: queue.most(),
        })
    }

    /// Puts a message in, as soon as there is room.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] for its size or its type, [`IpcError::Removed`], and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: the message is sent when it returns, and else not.
    pub async fn send(
        &self,
        message: ChargedTypedMessage,
        patience: Patience,
        interrupt: &Interrupt,
    ) -> Result<(), IpcError> {
        let most = self.live()?.queue.most().min(self.message_bytes);
        if message.kind < 1 || message.body.len() > most {
            return Err(IpcError::Invalid);
        }
        let (mut place, mut turn) = (Some(message), Turn { queue: self, number: None });
        let attempt = |context: &mut Context<'_>| {
            self.poll(context, &mut turn, |queue| {
                let Some(message) = place.take() else { return Ok(Some(())) };
                match queue.send(message) {
                    Ok(()) => Ok(Some(())),
                    Err(back) => {
                        place = Some(back);
                        Ok(None)
                    }
                }
            })
        };
        wait(patience, interrupt, attempt).await
    }

    /// Takes the wanted message, as soon as there is one.
    ///
    /// # Errors
    /// [`IpcError::TooBig`] when it is longer than `room`: it stays. [`IpcError::NoMessage`] in place of
    /// a wait, [`IpcError::Removed`], and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: a message that it does not return stays.
    pub async fn receive(
        &self,
        wanted: Wanted,
        room: usize,
        patience: Patience,
        interrupt: &Interrupt,
    ) -> Result<ChargedTypedMessage, IpcError> {
        let mut turn = Turn { queue: self, number: None };
        let attempt = |context: &mut Context<'_>| {
            self.poll(context, &mut turn, |queue| queue.receive(wanted, room))
        };
        wait(patience, interrupt, attempt).await.map_err(|error| match error {
            IpcError::WouldBlock => IpcError::NoMessage,
            other => other,
        })
    }

    /// Ends it: its messages are gone, and who waits is told.
    pub(super) fn remove(&self) {
        let mut state = self.state();
        state.queue = TypedQueue::new(0);
        state.life = None;
        let waiting = state.waiting.take();
        drop(state);
        waiting.wake();
    }

    /// One attempt, which wakes the others when it has done something.
    fn poll<Output>(
        &self,
        context: &Context<'_>,
        turn: &mut Turn<'_>,
        attempt: impl FnOnce(&mut TypedQueue<Held>) -> Result<Option<Output>, IpcError>,
    ) -> Poll<Result<Output, IpcError>> {
        let mut state = match self.live() {
            Ok(state) => state,
            Err(removed) => return Poll::Ready(Err(removed)),
        };
        match attempt(&mut state.queue) {
            Ok(Some(output)) => {
                let woken = state.waiting.take();
                drop(state);
                woken.wake();
                Poll::Ready(Ok(output))
            }
            Ok(None) => {
                state.waiting.add(&mut turn.number, context);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn live(&self) -> Result<MutexGuard<'_, State>, IpcError> {
        let state = self.state();
        if state.life.is_some() { Ok(state) } else { Err(IpcError::Removed) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait, given up when dropped.
struct Turn<'queue> {
    queue: &'queue KeyedQueue,
    number: Number,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.number.is_some() {
            self.queue.state().waiting.remove(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::memory::ContainerMemory;
    use crate::sandbox::Stop;
    use crate::sandbox::ipc::quota::Quota;

    fn queue() -> KeyedQueue {
        let (quota, memory) = (Quota::new(1), ContainerMemory::apart(1 << 20));
        KeyedQueue::new(1, 8, 16, (quota.take(1).unwrap(), memory.hold(1).unwrap()))
    }

    fn message(kind: i64, text: &str) -> ChargedTypedMessage {
        let charge = ContainerMemory::apart(1 << 20).hold(1).unwrap();
        TypedMessage { kind, body: text.as_bytes().into(), charge }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_type_is_woken_by_it_and_by_the_end() {
        let (queue, nobody) = (queue(), Interrupt::new(Stop::default()));
        let receive = async |number| {
            let message = queue.receive(Wanted::of(number), 8, Patience::Endless, &nobody).await;
            message.map(|message| message.body)
        };
        let acts = async {
            queue.send(message(2, "two"), Patience::None, &nobody).await.unwrap();
            queue.send(message(1, "one"), Patience::None, &nobody).await.unwrap();
            while queue.status().unwrap().messages > 1 {
                tokio::task::yield_now().await;
            }
            queue.remove();
            queue.send(message(1, "none"), Patience::None, &nobody).await
        };
        let (one, nine, after) = tokio::join!(receive(1), receive(9), acts);
        assert_eq!(one, Ok(b"one".as_slice().into()));
        assert_eq!((nine, after), (Err(IpcError::Removed), Err(IpcError::Removed)));
        assert_eq!(queue.status(), Err(IpcError::Removed));
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_those_of_msgop() {
        let (queue, nobody) = (queue(), Interrupt::new(Stop::default()));
        let send =
            async |kind, text| queue.send(message(kind, text), Patience::None, &nobody).await;
        assert_eq!(send(0, "x").await, Err(IpcError::Invalid));
        assert_eq!(send(1, "too long.").await, Err(IpcError::Invalid));
        assert_eq!((send(1, "12345678").await, send(1, "12345678").await), (Ok(()), Ok(())));
        assert_eq!(send(1, "x").await, Err(IpcError::WouldBlock));
        let none = queue.receive(Wanted::Type(3), 8, Patience::None, &nobody).await.unwrap_err();
        assert_eq!(none, IpcError::NoMessage);
    }
}
