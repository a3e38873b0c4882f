//! What becomes of a Pod that has no process. Pure.
//!
//! | it | becomes |
//! |---|---|
//! | was to be deleted, or ran in the foreground of a command | forgotten |
//! | had ended | left: its status is to be read |
//! | has something to start again | started again |
//! | has not | failed |

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use wasmpod::lifecycle::{Exit, Now, Observed, Spec, phase, status};

/// What becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nothing.
    Leave,
    /// It goes, with all that is left of it.
    Forget,
    /// It is over, with this status.
    Over(Box<PodStatus>),
    /// It gets another process; until that tells more, this is its status.
    Again(Box<PodStatus>),
}

/// Whether a Pod that has no process can be left as it is, whatever else there is to know of it.
pub(super) fn is_settled(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && pod.status.as_ref().is_some_and(is_over)
}

/// Whether a Pod of this status has ended.
pub(super) fn is_over(status: &PodStatus) -> bool {
    matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"))
}

/// What becomes of `pod` at `now`; `can_start` tells whether it is known how it was started, `lost` how its
/// runs ended.
pub(super) fn judge(pod: &Pod, can_start: bool, lost: &Exit, now: Now) -> Verdict {
    if pod.metadata.deletion_timestamp.is_some() || !can_start {
        return Verdict::Forget;
    }
    if is_settled(pod) {
        return Verdict::Leave;
    }
    let nothing = PodStatus::default();
    let previous = pod.status.as_ref().unwrap_or(&nothing);
    let spec = match Spec::new(pod) {
        Ok(spec) => spec,
        // One that breaks the rules of a later version.
        Err(error) => {
            return Verdict::Over(Box::new(PodStatus {
                phase: Some("Failed".to_owned()),
                message: Some(error.to_string()),
                ..previous.clone()
            }));
        }
    };
    let observed = Observed::resumed(&spec, previous, lost, now);
    let shown = Box::new(status(&spec, &observed, Some(previous), now.wall));
    if phase(&spec, &observed).is_terminal() { Verdict::Over(shown) } else { Verdict::Again(shown) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::*;

    fn judged(policy: &str, phase: &str, state: &Value, deleted: bool) -> &'static str {
        let deletion = deleted.then_some("2026-01-01T00:00:00Z");
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "web", "uid": "u", "deletionTimestamp": deletion },
            "spec": { "restartPolicy": policy, "containers": [{ "name": "web", "image": "web" }] },
            "status": { "phase": phase, "containerStatuses": [{
                "name": "web", "image": "web", "imageID": "", "ready": false, "restartCount": 0,
                "containerID": "wasmpod://1", "state": state,
            }] },
        }))
        .unwrap();
        let now = Now { wall: jiff::Timestamp::now(), instant: Instant::now().into_std() };
        match judge(&pod, true, &Exit::unknown(), now) {
            Verdict::Leave => "leave",
            Verdict::Forget => "forget",
            Verdict::Over(status) => match status.phase.as_deref() {
                Some("Failed") => "failed",
                _ => "succeeded",
            },
            Verdict::Again(_) => "again",
        }
    }

    #[test]
    fn the_restart_policy_decides_unless_somebody_wanted_its_end() {
        let running = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
        let done = json!({ "terminated": { "exitCode": 0 } });
        for (policy, phase, state, deleted, expected) in [
            ("Always", "Running", &running, false, "again"),
            ("OnFailure", "Running", &running, false, "again"),
            ("Never", "Running", &running, false, "failed"),
            ("Always", "Running", &running, true, "forget"),
            ("Never", "Succeeded", &done, false, "leave"),
            ("Never", "Succeeded", &done, true, "forget"),
            // Killed between the end of its guest and its last word.
            ("OnFailure", "Running", &done, false, "succeeded"),
            ("Always", "Pending", &json!({}), false, "again"),
        ] {
            assert_eq!(judged(policy, phase, state, deleted), expected, "{policy} {phase} {state}");
        }
    }
}
