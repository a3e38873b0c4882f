//! What one process of the toolbox knows of itself.

use std::sync::Arc;

use super::handles::Handles;
use super::session::Session;
use super::table::Pid;

/// Kept in the Store of its instance.
pub(crate) struct Process {
    pub(super) session: Arc<Session>,
    pub(super) pid: Pid,
    pub(super) handles: Handles,
}
