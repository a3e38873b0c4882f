//! Giving up on a compilation.

use std::process::ChildStdin;
use std::sync::{Arc, Mutex, PoisonError};

/// Ends a compilation early, from another thread.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    state: Arc<Mutex<CancelState>>,
}

#[derive(Default)]
struct CancelState {
    cancelled: bool,
    /// The child lives as long as this pipe.
    lifeline: Option<ChildStdin>,
}

impl Cancel {
    pub(crate) fn cancel(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cancelled = true;
        state.lifeline = None;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).cancelled
    }

    pub(super) fn hold(&self, lifeline: ChildStdin) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.cancelled {
            state.lifeline = Some(lifeline);
        }
    }
}
