//! The stop of a run: asked for once, by whoever ends the container, and seen by its guest.
//!
//! Time is tokio's, as all of a Pod's: what is left of the grace shrinks with virtual time too.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use k8s_openapi::api::core::v1::Container;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a process would get unless the container says another.
const SIGNAL: &str = "SIGTERM";

/// The signal that stops `container`, which no guest can get but some want to know.
///
/// Rule: `lifecycle.stopSignal`.
pub fn stop_signal(container: &Container) -> &str {
    let hooks = container.lifecycle.as_ref();
    hooks.and_then(|hooks| hooks.stop_signal.as_deref()).unwrap_or(SIGNAL)
}

/// The stop of one run. Clones are the same one; the default is one by SIGTERM.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: Arc<str>,
    asked: CancellationToken,
    /// Set before the token is cancelled.
    end: Arc<OnceLock<Instant>>,
}

/// What a guest is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopRequest {
    /// The signal that a process would have got.
    pub signal: Arc<str>,
    /// What is left of the grace period.
    pub grace: Duration,
}

impl Stop {
    /// One that has not come yet, and would be by `signal`.
    pub fn new(signal: &str) -> Self {
        Self { signal: signal.into(), asked: CancellationToken::new(), end: Arc::default() }
    }

    /// Asks for the end, which comes by force after `grace`. Only the first counts.
    pub fn ask(&self, grace: Duration) {
        // Longer than any clock runs: without an end.
        if let Some(end) = Instant::now().checked_add(grace) {
            let _ = self.end.set(end);
        }
        self.asked.cancel();
    }

    /// Whether it has come.
    pub fn is_asked(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// The request, if it has come.
    pub fn request(&self) -> Option<StopRequest> {
        self.is_asked().then(|| self.now())
    }

    /// Waits until it comes.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn asked(&self) -> StopRequest {
        self.asked.cancelled().await;
        self.now()
    }

    fn now(&self) -> StopRequest {
        let left = |end: &Instant| end.saturating_duration_since(Instant::now());
        let grace = self.end.get().map_or(Duration::MAX, left);
        StopRequest { signal: Arc::clone(&self.signal), grace }
    }

    /// Cancelled when it comes.
    pub(crate) fn token(&self) -> CancellationToken {
        self.asked.clone()
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new(SIGNAL)
    }
}

impl StopRequest {
    /// What is left of the grace period as guests count it; centuries, if it has no end.
    pub(crate) fn grace_nanoseconds(&self) -> u64 {
        u64::try_from(self.grace.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_the_grace_shrinks_with_the_pods_time() {
        let stop = Stop::new("SIGQUIT");
        let seen = stop.clone();
        assert_eq!(seen.request(), None);
        stop.ask(Duration::from_secs(30));
        seen.asked().await;
        let left = |seconds| {
            Some(StopRequest { signal: "SIGQUIT".into(), grace: Duration::from_secs(seconds) })
        };
        assert_eq!(seen.request(), left(30));
        tokio::time::sleep(Duration::from_secs(10)).await;
        stop.ask(Duration::from_secs(3600));
        assert_eq!(seen.request(), left(20), "only the first counts");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(seen.request(), left(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_grace_without_end_is_told_too() {
        let stop = Stop::default();
        stop.ask(Duration::MAX);
        assert_eq!(stop.request().unwrap().grace_nanoseconds(), u64::MAX);
    }

    #[test]
    fn the_signal_is_the_manifests() {
        let mut container = Container::default();
        assert_eq!(stop_signal(&container), "SIGTERM");
        container.lifecycle.get_or_insert_default().stop_signal = Some("SIGQUIT".to_owned());
        assert_eq!(stop_signal(&container), "SIGQUIT");
    }
}
