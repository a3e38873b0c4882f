//! Waiting until a Pod is ready, or has ended.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;

use crate::failure::Failure;

const LOOK: Duration = Duration::from_millis(200);

/// # Errors
/// The deadline is over, the Pod has failed, or it was deleted.
pub(super) fn wait(
    pods: &BackgroundPods,
    key: &Key,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    let mut watcher = pods.store().watcher();
    loop {
        let revision = pods.store().revision()?;
        let object = pods.store().get(key)?;
        match state(&object) {
            State::Ready => return Ok(()),
            State::Failed(why) => {
                let name = &key.name;
                return Err(Failure::kubectl(format!("pod/{name} has failed{why}")));
            }
            State::NotYet => {}
        }
        pods.mend_pod(object)?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            let name = &key.name;
            return Err(Failure::kubectl(format!(
                "timed out waiting for the condition on pods/{name}"
            )));
        }
        watcher.wait(revision, left.unwrap_or(LOOK).min(LOOK))?;
    }
}

enum State {
    Ready,
    NotYet,
    /// With what is said of it, behind a colon.
    Failed(String),
}

fn state(pod: &Value) -> State {
    let status = &pod["status"];
    match status["phase"].as_str() {
        Some("Succeeded") => State::Ready,
        Some("Failed") => {
            let why = status["message"].as_str().map(|message| format!(": {message}"));
            State::Failed(why.unwrap_or_default())
        }
        _ => {
            let mut conditions = status["conditions"].as_array().into_iter().flatten();
            let is_ready = conditions
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            if is_ready { State::Ready } else { State::NotYet }
        }
    }
}
