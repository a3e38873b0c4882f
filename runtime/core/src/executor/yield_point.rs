//! The place where a guest gives way.

use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is pending once and ready when polled again; see [`yield_point`].
#[derive(Debug)]
#[must_use = "it does nothing unless it is polled"]
pub struct YieldPoint {
    given_way: bool,
}

/// Lets others run before the caller goes on: the executor's queue decides who.
///
/// This is what the epoch callback of a guest's Store returns each tick
/// (`UpdateDeadline::YieldCustom(1, Box::pin(yield_point()))`). `UpdateDeadline::Continue` would
/// starve the timers of the worker's driver; the plain `Yield` would queue the task again
/// behind the executor's back when it is polled by tokio itself, which looks at sockets only
/// every 61 polls.
pub fn yield_point() -> YieldPoint {
    YieldPoint { given_way: false }
}

impl Future for YieldPoint {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.given_way {
            return Poll::Ready(());
        }
        self.given_way = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
