//! Looking at an object again and again, until something is true of it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;

use crate::failure::Failure;

/// A Pod whose process was killed says nothing: it is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Gives what `look` finds at the object, which may be gone, or nothing once the deadline has come. Sees
/// meanwhile to what a killed process has left.
///
/// # Errors
/// Those of `look`, and of the store.
pub(super) fn until<Found>(
    pods: &BackgroundPods,
    key: &Key,
    deadline: Option<Instant>,
    mut look: impl FnMut(Option<&Value>) -> Result<Option<Found>, Failure>,
) -> Result<Option<Found>, Failure> {
    let mut watcher = pods.store().watcher();
    loop {
        let revision = pods.store().revision()?;
        let object = match pods.store().get(key) {
            Ok(object) => Some(object),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(found) = look(object.as_ref())? {
            return Ok(Some(found));
        }
        if let Some(object) = object {
            pods.mend_pod(object)?;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(None);
        }
        watcher.wait(revision, left.unwrap_or(LOOK).min(LOOK))?;
    }
}

/// What is said when the deadline has come: `what` is `pods/web`.
pub(super) fn timed_out(what: impl std::fmt::Display) -> Failure {
    Failure::kubectl(format!("timed out waiting for the condition on {what}"))
}
