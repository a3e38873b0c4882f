//! Waiting for a message, or for room for one: as tasks that are woken, by the Pod's time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::IpcError;
use crate::sandbox::Stop;

/// How long somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: [`IpcError::WouldBlock`].
    None,
    /// So long: [`IpcError::TimedOut`].
    For(Duration),
    /// As long as it takes.
    Endless,
}

impl Patience {
    /// By nanoseconds: none is no patience at all, less than none is no end.
    pub fn of_nanoseconds(nanoseconds: i64) -> Self {
        match u64::try_from(nanoseconds) {
            Ok(0) => Self::None,
            Ok(some) => Self::For(Duration::from_nanos(some)),
            Err(_) => Self::Endless,
        }
    }
}

/// What ends the waits of one run besides: its stop.
///
/// As a signal would, it ends all waits that are under way, and if there are none the first that comes
/// after it; what a guest waits for then it waits for in the knowledge of the stop. Clones are of the same
/// run.
#[derive(Clone, Debug)]
pub struct Interrupt {
    stop: Stop,
    told: Arc<AtomicBool>,
}

impl Interrupt {
    /// Of a run that is stopped so.
    pub fn new(stop: Stop) -> Self {
        Self { stop, told: Arc::default() }
    }

    /// Waits until the run is told of its stop by the end of this wait.
    async fn comes(&self) {
        if self.stop.is_asked() && self.told.swap(true, Relaxed) {
            std::future::pending().await
        }
        self.stop.asked().await;
        self.told.store(true, Relaxed);
    }
}

/// Does `attempt` until it answers: at first, and whenever it was woken.
///
/// # Errors
/// [`IpcError::WouldBlock`], [`IpcError::TimedOut`], [`IpcError::Interrupted`], and those of `attempt`.
///
/// # Cancel safety
/// As safe as `attempt` is, of which nothing is lost between two calls.
pub(super) async fn wait<Output>(
    patience: Patience,
    interrupt: &Interrupt,
    mut attempt: impl FnMut(&mut Context<'_>) -> Poll<Result<Output, IpcError>>,
) -> Result<Output, IpcError> {
    if let Poll::Ready(answer) = attempt(&mut Context::from_waker(Waker::noop())) {
        return answer;
    }
    let end = match patience {
        Patience::None => return Err(IpcError::WouldBlock),
        Patience::For(Duration::ZERO) => return Err(IpcError::TimedOut),
        // Later than any clock goes: never.
        Patience::For(time) => Instant::now().checked_add(time),
        Patience::Endless => None,
    };
    let over = async {
        match end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        answer = std::future::poll_fn(attempt) => answer,
        () = interrupt.comes() => Err(IpcError::Interrupted),
        () = over => Err(IpcError::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn never(patience: Patience, interrupt: &Interrupt) -> Result<(), IpcError> {
        wait(patience, interrupt, |_| Poll::Pending).await
    }

    #[tokio::test(start_paused = true)]
    async fn patience_is_counted_by_the_pods_clock() {
        let interrupt = Interrupt::new(Stop::default());
        assert_eq!(never(Patience::None, &interrupt).await, Err(IpcError::WouldBlock));
        assert_eq!(Patience::of_nanoseconds(0), Patience::None);
        assert_eq!(Patience::of_nanoseconds(i64::MIN), Patience::Endless);
        assert_eq!(never(Patience::For(Duration::ZERO), &interrupt).await, Err(IpcError::TimedOut));
        let begun = Instant::now();
        let hour = Duration::from_secs(3600);
        assert_eq!(never(Patience::For(hour), &interrupt).await, Err(IpcError::TimedOut));
        assert_eq!(begun.elapsed(), hour);
        let mut endless = Box::pin(never(Patience::For(Duration::MAX), &interrupt));
        assert!(tokio::time::timeout(hour, &mut endless).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_stop_ends_what_is_under_way_or_the_first_wait_after_it() {
        let stop = Stop::default();
        let interrupt = Interrupt::new(stop.clone());
        let (first, second, ()) = tokio::join!(
            never(Patience::Endless, &interrupt),
            never(Patience::Endless, &interrupt),
            async { stop.ask(Duration::from_secs(30)) },
        );
        assert_eq!((first, second), (Err(IpcError::Interrupted), Err(IpcError::Interrupted)));
        let second = Patience::For(Duration::from_secs(1));
        assert_eq!(never(second, &interrupt).await, Err(IpcError::TimedOut));

        let late = Interrupt::new(stop);
        assert_eq!(never(second, &late).await, Err(IpcError::Interrupted));
        assert_eq!(never(second, &late).await, Err(IpcError::TimedOut));
    }
}
