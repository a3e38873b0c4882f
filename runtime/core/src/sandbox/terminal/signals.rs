//! Who is told of a signal: whoever has asked last, and else it ends the command.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::keys::Signal;
use super::lock;

/// The signals of one terminal.
#[derive(Debug, Default)]
pub(super) struct Signals {
    state: Mutex<State>,
    /// A signal that nobody has caught.
    uncaught: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The last one is told.
    catchers: Vec<Arc<Catcher>>,
    uncaught: Option<Signal>,
}

#[derive(Debug, Default)]
struct Catcher {
    told: Notify,
    signal: Mutex<Option<Signal>>,
}

/// Whoever holds it is told of signals, in place of their ending the command; with several the last
/// one. Dropping it gives that back.
///
/// A shell holds one as long as it lives, and ends the command that it runs when it is told.
#[derive(Debug)]
pub struct Caught {
    signals: Arc<Signals>,
    catcher: Arc<Catcher>,
}

impl Signals {
    pub(super) fn catch(signals: &Arc<Self>) -> Caught {
        let catcher = Arc::<Catcher>::default();
        lock(&signals.state).catchers.push(Arc::clone(&catcher));
        Caught { signals: Arc::clone(signals), catcher }
    }

    pub(super) fn raise(&self, signal: Signal) {
        let mut state = lock(&self.state);
        if let Some(catcher) = state.catchers.last() {
            *lock(&catcher.signal) = Some(signal);
            catcher.told.notify_one();
        } else {
            state.uncaught.get_or_insert(signal);
            drop(state);
            self.uncaught.notify_one();
        }
    }

    /// Waits for a signal that nobody catches. For one who waits.
    pub(super) async fn uncaught(&self) -> Signal {
        loop {
            let told = self.uncaught.notified();
            if let Some(signal) = lock(&self.state).uncaught {
                return signal;
            }
            told.await;
        }
    }
}

impl Caught {
    /// The next signal; of several that nobody has waited for the last one.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Signal {
        loop {
            let told = self.catcher.told.notified();
            if let Some(signal) = lock(&self.catcher.signal).take() {
                return signal;
            }
            told.await;
        }
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        let mut state = lock(&self.signals.state);
        state.catchers.retain(|catcher| !Arc::ptr_eq(catcher, &self.catcher));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn the_last_one_who_asks_is_told() {
        let signals = Arc::<Signals>::default();
        let mut shell = Signals::catch(&signals);
        signals.raise(Signal::Interrupt);
        assert_eq!(shell.next().now_or_never(), Some(Signal::Interrupt));
        let mut inner = Signals::catch(&signals);
        signals.raise(Signal::Quit);
        assert_eq!(shell.next().now_or_never(), None);
        assert_eq!(inner.next().now_or_never(), Some(Signal::Quit));
        drop(inner);
        signals.raise(Signal::Interrupt);
        assert_eq!(shell.next().now_or_never(), Some(Signal::Interrupt));
        assert_eq!(signals.uncaught().now_or_never(), None);
        drop(shell);
        signals.raise(Signal::Interrupt);
        assert_eq!(signals.uncaught().now_or_never(), Some(Signal::Interrupt));
    }
}
