//! Phase, conditions and status for containers in every state.

mod conditions;
mod phase;
mod reasons;
mod status;

use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lifecycle::container::Step;
use crate::lifecycle::event::{ImageInfo, ImageOrigin};
use crate::lifecycle::observed::SandboxState;
use crate::lifecycle::running::{HookState, Running};
use crate::lifecycle::{
    Ended, Exit, Now, Observed, RunIdentity, RunState, Spec, Waiting, WaitingReason,
};

/// The state of one container, in a word.
#[derive(Clone, Copy, Debug)]
enum Is {
    /// Not tried yet.
    New,
    /// Running.
    Up,
    /// Running, and its startup probe or hook is not done.
    Starting,
    /// Ended with this code.
    Done(i32),
    /// Waiting to start again after an end with this code.
    Again(i32),
}
use Is::{Again, Done, New, Starting, Up};

fn wall(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "any instant serves as the origin of a table")]
fn start() -> Now {
    Now { instant: Instant::now(), wall: wall(0) }
}

fn spec(policy: &str, inits: usize, sidecars: usize, apps: usize) -> Spec {
    let mut init: Vec<Value> = (0..inits).map(|n| json!({ "name": format!("i{n}") })).collect();
    init.extend(
        (0..sidecars).map(|n| json!({ "name": format!("s{n}"), "restartPolicy": "Always" })),
    );
    let app: Vec<Value> =
        (0..apps).map(|n| json!({ "name": format!("a{n}"), "image": "a.wasm" })).collect();
    let pod = json!({
        "metadata": { "name": "p", "uid": "u" },
        "spec": { "restartPolicy": policy, "initContainers": init, "containers": app },
    });
    Spec::new(&serde_json::from_value(pod).unwrap()).unwrap()
}

fn run() -> RunIdentity {
    let image = ImageInfo { id: "sha256:a".to_owned(), origin: ImageOrigin::Present };
    RunIdentity { id: Some("1".to_owned()), image }
}

fn ended(code: i32, now: Now) -> Ended {
    Ended {
        exit: Exit::with_code(code),
        run: run(),
        started_at: now.wall,
        finished_at: now.wall,
        finished: now.instant,
    }
}

fn observed(spec: &Spec, states: &[Is]) -> Observed {
    let now = start();
    let mut observed = Observed::new(spec, now);
    observed.sandbox = SandboxState::Ready;
    assert_eq!(observed.containers.len(), states.len());
    for (container, is) in observed.containers.iter_mut().zip(states) {
        container.latest = (!matches!(is, New)).then(run);
        container.has_begun = container.latest.is_some();
        match is {
            New => {}
            Up | Starting => {
                container.state = RunState::Running(Running {
                    started_at: now.wall,
                    since: now.instant,
                    post_start: HookState::Done(now.instant),
                    started: matches!(is, Up).then_some(now.instant),
                    probers: Vec::new(),
                    outdated: None,
                    stopping: None,
                    out_of_memory: None,
                });
            }
            Done(code) => {
                container.state =
                    RunState::Terminated { ended: ended(*code, now), step: Step::Nothing };
            }
            Again(code) => {
                container.last = Some(ended(*code, now));
                container.state = RunState::Waiting {
                    why: Waiting::because(WaitingReason::CrashLoopBackOff),
                    step: Step::Nothing,
                };
            }
        }
    }
    observed
}
