//! Room of a queue whose messages are gone. Pure.

use std::collections::VecDeque;

/// Room for so many is not worth the work: what a queue itself is charged with covers it.
const FEW: usize = 8;

/// Gives most of the room back once less than a quarter of it is used: messages are paid for while they
/// are there, and the room that they had is paid for by nobody.
pub(super) fn give_back<Message>(messages: &mut VecDeque<Message>) {
    if messages.capacity() > FEW && messages.len() < messages.capacity() / 4 {
        // Twice as much as is used, so that the next messages do not have it grow again.
        messages.shrink_to(messages.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_goes_with_the_messages() {
        let mut messages: VecDeque<u32> = (0..10_000).collect();
        while messages.pop_front().is_some() {
            give_back(&mut messages);
            let (length, room) = (messages.len(), messages.capacity());
            assert!(room <= FEW || room / 4 <= length, "{length} {room}");
        }
        assert!(messages.capacity() <= FEW);
    }
}
