//! A queue of messages with types, as `msgsnd` and `msgrcv` see it. Pure.
//!
//! Rule: msgop(2).

use std::collections::VecDeque;

use super::IpcError;
use super::spare::give_back;

/// Which message is wanted, by the number that `msgrcv` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// 0: the oldest.
    Any,
    /// The oldest of this type.
    Type(i64),
    /// A negative number: of the lowest type up to this, the oldest.
    UpTo(i64),
}

impl Wanted {
    /// By the number.
    pub fn of(number: i64) -> Self {
        match number {
            0 => Self::Any,
            1.. => Self::Type(number),
            _ => Self::UpTo(number.saturating_neg()),
        }
    }
}

/// A message on its way.
#[derive(Debug, PartialEq, Eq)]
pub struct TypedMessage<Charge> {
    /// 1 or more.
    pub kind: i64,
    /// What it says.
    pub body: Box<[u8]>,
    /// Who pays for it meanwhile.
    pub charge: Charge,
}

/// The messages of one queue, oldest first.
#[derive(Debug)]
pub(super) struct TypedQueue<Charge> {
    /// Bytes of all messages, at most; so many messages too, or empty ones would have no end.
    most: usize,
    messages: VecDeque<TypedMessage<Charge>>,
    bytes: usize,
}

impl<Charge> TypedQueue<Charge> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, messages: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.bytes + bytes <= self.most && self.messages.len() < self.most
    }

    /// Puts a message in, or gives it back when there is no room.
    pub(super) fn send(
        &mut self,
        message: TypedMessage<Charge>,
    ) -> Result<(), TypedMessage<Charge>> {
        if !self.has_room(message.body.len()) {
            return Err(message);
        }
        self.bytes += message.body.len();
        self.messages.push_back(message);
        Ok(())
    }

    /// Takes the wanted message out, if there is one.
    ///
    /// # Errors
    /// [`IpcError::TooBig`] when it is longer than `room`: it stays.
    pub(super) fn receive(
        &mut self,
        wanted: Wanted,
        room: usize,
    ) -> Result<Option<TypedMessage<Charge>>, IpcError> {
        let Some(position) = self.find(wanted) else { return Ok(None) };
        if self.messages[position].body.len() > room {
            return Err(IpcError::TooBig);
        }
        let message = self.messages.remove(position);
        give_back(&mut self.messages);
        self.bytes -= message.as_ref().map_or(0, |message| message.body.len());
        Ok(message)
    }

    fn find(&self, wanted: Wanted) -> Option<usize> {
        let mut kinds = self.messages.iter().map(|message| message.kind).enumerate();
        match wanted {
            Wanted::Any => kinds.next(),
            Wanted::Type(kind) => kinds.find(|(_, other)| *other == kind),
            // Of equal minima this is the first.
            Wanted::UpTo(most) => {
                kinds.filter(|(_, kind)| *kind <= most).min_by_key(|(_, kind)| *kind)
            }
        }
        .map(|(position, _)| position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: i64, text: &str) -> TypedMessage<()> {
        TypedMessage { kind, body: text.as_bytes().into(), charge: () }
    }

    fn taken(queue: &mut TypedQueue<()>, number: i64) -> String {
        match queue.receive(Wanted::of(number), 100) {
            Ok(Some(message)) => String::from_utf8(message.body.into_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_taken_by_type() {
        let mut queue = TypedQueue::new(100);
        for (kind, text) in [(3, "a"), (1, "b"), (2, "c"), (3, "d"), (1, "e"), (9, "f")] {
            queue.send(message(kind, text)).unwrap();
        }
        for (number, text) in
            [(3, "a"), (-2, "b"), (-2, "e"), (0, "c"), (-3, "d"), (-3, "Ok(None)")]
        {
            assert_eq!(taken(&mut queue, number), text, "{number}");
        }
        assert_eq!(taken(&mut queue, i64::MIN), "f");
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }

    #[test]
    fn an_empty_queue_holds_no_room() {
        let mut queue = TypedQueue::new(16_384);
        for _ in 0..16_384 {
            queue.send(message(1, "")).unwrap();
        }
        while queue.receive(Wanted::Any, 0).unwrap().is_some() {}
        assert!(queue.messages.capacity() < 16, "{}", queue.messages.capacity());
    }

    #[test]
    fn what_is_too_long_for_the_buffer_stays() {
        let mut queue = TypedQueue::new(100);
        queue.send(message(1, "long")).unwrap();
        assert_eq!(queue.receive(Wanted::Any, 3), Err(IpcError::TooBig));
        assert_eq!(queue.receive(Wanted::Any, 4), Ok(Some(message(1, "long"))));
    }

    #[test]
    fn it_is_bounded_by_bytes_and_empty_messages_by_number() {
        let mut queue = TypedQueue::new(4);
        queue.send(message(1, "abc")).unwrap();
        assert!(queue.send(message(1, "de")).is_err());
        for _ in 0..3 {
            queue.send(message(1, "")).unwrap();
        }
        assert!(queue.send(message(1, "")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(kinds in prop::collection::vec(1_i64..5, 0..50), wanted in prop::collection::vec(-5_i64..6, 0..100)) {
            let mut queue = TypedQueue::new(50);
            for kind in &kinds {
                queue.send(message(*kind, "x")).unwrap();
            }
            let mut left = kinds.len();
            for number in wanted {
                if let Some(message) = queue.receive(Wanted::of(number), 1).unwrap() {
                    left -= 1;
                    prop_assert!(number == 0 || message.kind == number || message.kind <= -number);
                }
                prop_assert_eq!((queue.len(), queue.bytes()), (left, left));
            }
        }
    }
}
