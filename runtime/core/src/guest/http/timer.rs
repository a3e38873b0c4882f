//! hyper's timer for one connection: how long it may take for a request's head.
//!
//! hyper makes and drops a timer for each request, though hardly any fires. Here these are notes in
//! one place, and one real timer for each connection looks at the note when it fires: once in a
//! minute, and not thousands of times a second.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};
use tokio::time::Instant;

/// The notes; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionTimer {
    shared: Arc<Mutex<Note>>,
}

#[derive(Debug, Default)]
struct Note {
    /// When what hyper waits for must be over.
    deadline: Option<Instant>,
    /// It was not.
    expired: bool,
}

/// The real timer; poll it in the connection's task before the connection.
pub(crate) struct Watch {
    timer: ConnectionTimer,
    within: Duration,
    alarm: Pin<Box<tokio::time::Sleep>>,
}

impl ConnectionTimer {
    /// A timer for waits that last `within`, all of them, and its watch.
    pub(crate) fn new(within: Duration) -> (Self, Watch) {
        let timer = Self { shared: Arc::default() };
        let alarm = Box::pin(tokio::time::sleep(within));
        (timer.clone(), Watch { timer, within, alarm })
    }

    fn note(&self) -> MutexGuard<'_, Note> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Lets the wait of the connection end if it is due. Waits that begin later are due later, as
    /// they all last equally long: the alarm is always early enough.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) {
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let mut note = self.timer.note();
            let next = match note.deadline {
                Some(deadline) if deadline <= now => {
                    note.expired = true;
                    now + self.within
                }
                Some(deadline) => deadline,
                None => now + self.within,
            };
            drop(note);
            self.alarm.as_mut().reset(next);
        }
    }
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until((Instant::now() + duration).into_std())
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        *self.note() = Note { deadline: Some(deadline.into()), expired: false };
        Box::pin(Wait(self.clone()))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: std::time::Instant) {
        if sleep.as_mut().is::<Wait>() {
            *self.note() = Note { deadline: Some(deadline.into()), expired: false };
        }
    }
}

/// One wait of hyper's. The watch wakes the task.
struct Wait(ConnectionTimer);

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        if self.0.note().expired { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Sleep for Wait {}

impl Drop for Wait {
    fn drop(&mut self) {
        *self.0.note() = Note::default();
    }
}
