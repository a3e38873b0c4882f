//! The tasks that wait for something of a queue.
//!
//! Each has a number for as long as it waits, under which its waker is; one that gives up takes it along.
//! So there are never more wakers than there are waits, however often a guest begins one and gives it up.

use std::collections::BTreeMap;
use std::task::{Context, Waker};

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    last: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// The number of one wait, once it has one.
pub(super) type Number = Option<u64>;

impl Waiters {
    /// Has the task of `context` woken at the next event.
    pub(super) fn add(&mut self, number: &mut Number, context: &Context<'_>) {
        // Who only looks waits for nothing.
        if context.waker().will_wake(Waker::noop()) {
            return;
        }
        let number = *number.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        match self.wakers.get_mut(&number) {
            Some(waker) => waker.clone_from(context.waker()),
            None => drop(self.wakers.insert(number, context.waker().clone())),
        }
    }

    /// It waits no more.
    pub(super) fn remove(&mut self, number: Number) {
        if let Some(number) = number {
            self.wakers.remove(&number);
        }
    }

    /// Takes all out, in the order of their numbers.
    #[must_use = "wake what comes back, outside of the lock"]
    pub(super) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.wakers))
    }
}

/// Those who are to look again.
#[derive(Debug, Default)]
pub(super) struct Woken(BTreeMap<u64, Waker>);

impl Woken {
    pub(super) fn wake(self) {
        self.0.into_values().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn who_gave_up_is_not_woken_and_others_are_once() {
        let (count, mut waiters) = (Arc::new(Count::default()), Waiters::default());
        let waker = Waker::from(Arc::clone(&count));
        let context = Context::from_waker(&waker);
        let mut numbers = [None; 100];
        for number in &mut numbers {
            waiters.add(number, &context);
            waiters.add(number, &context);
        }
        numbers[..98].iter().for_each(|number| waiters.remove(*number));
        waiters.add(&mut None, &Context::from_waker(Waker::noop()));
        waiters.take().wake();
        assert_eq!(count.0.load(Relaxed), 2);
        waiters.add(&mut numbers[99], &context);
        waiters.take().wake();
        waiters.take().wake();
        assert_eq!(count.0.load(Relaxed), 3);
    }
}
