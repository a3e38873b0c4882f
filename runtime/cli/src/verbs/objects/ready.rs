//! Waiting until a Pod is ready, or has ended.

use serde_json::Value;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;
use wasmpod_objects::status::ApiError;

use super::until::{timed_out, until};
use crate::failure::Failure;

/// # Errors
/// The deadline is over, the Pod has failed, or it was deleted.
pub(super) fn wait(
    pods: &BackgroundPods,
    key: &Key,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    let name = &key.name;
    let ready = until(pods, key, deadline, |pod| {
        match state(pod.ok_or_else(|| ApiError::not_found(key.resource, name))?) {
            State::Ready => Ok(Some(())),
            State::Failed(why) => Err(Failure::kubectl(format!("pod/{name} has failed{why}"))),
            State::NotYet => Ok(None),
        }
    })?;
    ready.ok_or_else(|| timed_out(format_args!("pods/{name}")))
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
