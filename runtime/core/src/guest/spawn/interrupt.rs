//! Ctrl-C.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::session::Session;

/// Where an exec is told of Ctrl-C. Clones are the same place.
///
/// ```text
/// let interrupts = Interrupts::default();
/// let running = account.spawn(exec(program, loader, host, spec, command, interrupts.clone()));
/// // On Ctrl-C:
/// if !interrupts.interrupt() {
///     running.abort(); // nobody took it: the command ends, with code 130
/// }
/// ```
#[derive(Clone, Default)]
pub struct Interrupts {
    session: Arc<Mutex<Weak<Session>>>,
}

impl Interrupts {
    /// Ctrl-C was typed: what a shell runs in the foreground ends with code 130, and the shell goes on.
    /// False when there is no shell that would: then the command itself should end.
    #[must_use]
    pub fn interrupt(&self) -> bool {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let Some(session) = session else { return false };
        let removed = session.table().interrupt();
        match removed {
            Some(removed) => {
                removed.drop_and_wake();
                true
            }
            None => false,
        }
    }

    pub(super) fn go_to(&self, session: &Arc<Session>) {
        let mut place = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Arc::downgrade(session);
    }
}
