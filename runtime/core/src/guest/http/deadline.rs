//! When a request must be over.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A point in time that is seldom waited for: the timer is made at the first wait, and most
/// requests are answered in the poll that began them.
pub(crate) struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// So long from now; without an `after`, never.
    pub(crate) fn new(after: Option<Duration>) -> Self {
        // Beyond what a clock can hold is never, too.
        let at = after.and_then(|after| Instant::now().checked_add(after));
        Self { at, timer: None }
    }

    /// Ready once it is over.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(at))).as_mut().poll(context)
    }
}
