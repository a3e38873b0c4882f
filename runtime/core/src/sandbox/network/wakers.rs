//! The tasks that wait for one event.

use std::task::{Context, Waker};

/// More waiters than this are woken for nothing now and then; they only look and wait again.
const MOST: usize = 64;

/// A small set of wakers; all are called at the event, outside of the lock that guards the set.
#[derive(Default)]
pub(crate) struct WakerSet {
    wakers: Vec<Waker>,
}

impl WakerSet {
    /// Adds the task of `cx`, once.
    ///
    /// A polled and dropped future leaves its waker behind, so the set is bounded: when it is full
    /// the whole lot is handed back, and the caller wakes it.
    #[must_use = "wake what comes back, outside of the lock"]
    pub(crate) fn register(&mut self, cx: &Context<'_>) -> Self {
        // A guest that only looks waits for nothing.
        if cx.waker().will_wake(Waker::noop()) {
            return Self::default();
        }
        if self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            return Self::default();
        }
        let displaced = if self.wakers.len() >= MOST { self.take() } else { Self::default() };
        self.wakers.push(cx.waker().clone());
        displaced
    }

    /// Takes all waiters out.
    #[must_use = "wake what comes back, outside of the lock"]
    pub(crate) fn take(&mut self) -> Self {
        Self { wakers: std::mem::take(&mut self.wakers) }
    }

    pub(crate) fn wake(self) {
        for waker in self.wakers {
            waker.wake();
        }
    }
}

/// Remembers the one task that waits at a pipe's end, without a clone when it is the same.
pub(crate) fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    if cx.waker().will_wake(Waker::noop()) {
        return;
    }
    match slot {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        _ => *slot = Some(cx.waker().clone()),
    }
}
