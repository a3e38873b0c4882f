//! A queue of messages with priorities, as `mq_send` and `mq_receive` see it. Pure.
//!
//! ```text
//! send ──▶ [31: a b] [7: c] [0: d e] ──▶ receive: a, b, c, d, e
//! ```
//! Higher priorities come first, and within one the oldest message. Nobody waits here: who has to is
//! told so and comes again ([`wait`](super::wait)).
//!
//! Rule: mq_overview(7).

use std::collections::{BTreeMap, VecDeque};

use super::IpcError;
use super::spare::give_back;

/// The highest priority; `MQ_PRIO_MAX` of Linux less one.
pub const HIGHEST_PRIORITY: u32 = 32_767;

/// How much a queue takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSize {
    /// Messages.
    pub messages: usize,
    /// Bytes of one.
    pub message_bytes: usize,
}

/// A message on its way.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<Charge> {
    /// 0 to [`HIGHEST_PRIORITY`].
    pub priority: u32,
    /// What it says.
    pub body: Box<[u8]>,
    /// Who pays for it meanwhile.
    pub charge: Charge,
}

/// The messages of one queue.
#[derive(Debug)]
pub(super) struct Queue<Charge> {
    size: QueueSize,
    by_priority: BTreeMap<u32, VecDeque<Message<Charge>>>,
    count: usize,
    bytes: usize,
}

impl<Charge> Queue<Charge> {
    pub(super) fn new(size: QueueSize) -> Self {
        Self { size, by_priority: BTreeMap::new(), count: 0, bytes: 0 }
    }

    pub(super) fn size(&self) -> QueueSize {
        self.size
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Bytes of all messages.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= self.size.messages
    }

    /// Puts a message in, or gives it back when there is no room.
    pub(super) fn send(&mut self, message: Message<Charge>) -> Result<(), Message<Charge>> {
        if self.is_full() {
            return Err(message);
        }
        self.count += 1;
        self.bytes += message.body.len();
        self.by_priority.entry(message.priority).or_default().push_back(message);
        Ok(())
    }

    /// Takes the next message out.
    pub(super) fn receive(&mut self) -> Option<Message<Charge>> {
        let mut highest = self.by_priority.last_entry()?;
        let message = highest.get_mut().pop_front();
        if highest.get().is_empty() {
            highest.remove();
        } else {
            give_back(highest.get_mut());
        }
        let message = message?;
        self.count -= 1;
        self.bytes -= message.body.len();
        Some(message)
    }
}

impl QueueSize {
    /// Whether a message of so many bytes and this priority may be sent at all.
    ///
    /// # Errors
    /// [`IpcError::MessageSize`], [`IpcError::Invalid`] for the priority.
    pub(super) fn admits(self, bytes: usize, priority: u32) -> Result<(), IpcError> {
        if priority > HIGHEST_PRIORITY {
            return Err(IpcError::Invalid);
        }
        if bytes > self.message_bytes { Err(IpcError::MessageSize) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queue(messages: usize) -> Queue<()> {
        Queue::new(QueueSize { messages, message_bytes: 16 })
    }

    fn message(priority: u32, text: &str) -> Message<()> {
        Message { priority, body: text.as_bytes().into(), charge: () }
    }

    #[test]
    fn higher_priorities_come_first_and_older_ones_within_one() {
        let mut queue = queue(10);
        for (priority, text) in [(0, "d"), (31, "a"), (7, "c"), (31, "b"), (0, "e")] {
            queue.send(message(priority, text)).unwrap();
        }
        assert_eq!((queue.len(), queue.bytes()), (5, 5));
        let order: Vec<_> = std::iter::from_fn(|| queue.receive())
            .map(|message| String::from_utf8(message.body.into_vec()).unwrap())
            .collect();
        assert_eq!(order.concat(), "abcde");
        assert!(queue.is_empty() && queue.bytes() == 0);
    }

    #[test]
    fn a_full_queue_gives_the_message_back() {
        let mut queue = queue(1);
        queue.send(message(0, "one")).unwrap();
        assert_eq!(queue.send(message(9, "two")), Err(message(9, "two")));
        assert_eq!(queue.receive(), Some(message(0, "one")));
        queue.send(message(9, "two")).unwrap();
    }

    #[test]
    fn what_is_left_of_many_holds_little_room() {
        let mut queue = queue(10_000);
        while queue.send(message(0, "")).is_ok() {}
        while queue.len() > 1 {
            queue.receive();
        }
        assert!(queue.by_priority[&0].capacity() < 16);
    }

    #[test]
    fn what_may_be_sent() {
        let size = queue(1).size();
        for (bytes, priority, answer) in [
            (0, 0, Ok(())),
            (16, HIGHEST_PRIORITY, Ok(())),
            (17, 0, Err(IpcError::MessageSize)),
            (0, HIGHEST_PRIORITY + 1, Err(IpcError::Invalid)),
            (usize::MAX, u32::MAX, Err(IpcError::Invalid)),
        ] {
            assert_eq!(size.admits(bytes, priority), answer, "{bytes} {priority}");
        }
    }

    proptest! {
        /// A list that is sorted anew each time, and stays so among equals, is the model.
        #[test]
        fn it_is_a_stable_sort_with_a_bound(
            steps in prop::collection::vec(prop::option::of((0_u32..4, "[a-z]{0,3}")), 0..200),
            most in 1_usize..6,
        ) {
            let (mut queue, mut model) = (queue(most), Vec::<(u32, String)>::new());
            for step in steps {
                match step {
                    Some((priority, text)) => {
                        let sent = queue.send(message(priority, &text)).is_ok();
                        prop_assert_eq!(sent, model.len() < most);
                        if sent {
                            model.push((priority, text));
                            model.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
                        }
                    }
                    None => {
                        let received = queue.receive();
                        let expected = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(received, expected.map(|(priority, text)| message(priority, &text)));
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(queue.bytes(), model.iter().map(|(_, text)| text.len()).sum::<usize>());
            }
        }
    }
}
