//! Which Kubernetes Events tell of what happens to a Pod, and in which words.
//!
//! Rule: the calls of the recorder in the kubelet (`images/image_manager.go`,
//! `kuberuntime_container.go`, `kuberuntime_manager.go`, `active_deadline.go`), and those of the
//! scheduler.

use super::action::{Action, BackOffCause};
use super::duration::GoDuration;
use super::event::{
    Event, Hook, ImageError, ImageErrorKind, ImageInfo, ImageOrigin, PodFailure, PodFailureReason,
    SandboxError, StartError,
};
use super::exit::{Exit, ExitReason};
use super::observed::Observed;
use super::probe::{ProbeAnswer, ProbeKind};
use super::running::StopReason;
use super::spec::{ContainerIndex, Identity, RestartPolicy, Role, Spec};
use super::waiting::WaitingReason;
use crate::event::{Involved, PodEvent, Reason};

/// What is told when `event` happens.
pub fn narrate_event(spec: &Spec, event: &Event) -> Vec<PodEvent> {
    match event {
        Event::Scheduled { node } => vec![scheduled(spec, node)],
        Event::Unschedulable { message } => {
            vec![PodEvent::warning(Reason::FailedScheduling, Involved::Pod, message.clone())]
        }
        Event::SandboxFailed(error) => vec![sandbox_failed(error)],
        Event::ImageReady { container, image } => vec![image_ready(spec, *container, image)],
        Event::ImageFailed { container, error } => image_failed(spec, *container, error),
        Event::Started { container, .. } => {
            let involved = involved(spec, *container);
            vec![
                PodEvent::normal(Reason::Created, involved.clone(), "Container created"),
                PodEvent::normal(Reason::Started, involved, "Container started"),
            ]
        }
        Event::StartFailed { container, error } => vec![start_failed(spec, *container, error)],
        Event::Exited { container, exit } => exited(spec, *container, exit),
        Event::Probed { container, kind, answer } => probed(spec, *container, *kind, answer),
        Event::HookEnded { container, hook, outcome: Err(problem) } => {
            vec![hook_failed(spec, *container, *hook, problem)]
        }
        Event::OutOfMemory { container, message } => {
            vec![PodEvent::warning(Reason::Evicted, involved(spec, *container), message.clone())]
        }
        Event::Failed(failure) => vec![failed(failure)],
        Event::HookEnded { outcome: Ok(()), .. }
        | Event::SandboxReady(_)
        | Event::SandboxCancelled
        | Event::Cancelled { .. }
        | Event::StopRequested(_)
        | Event::ResourcesChanged(_)
        | Event::RestartToResize { .. }
        | Event::SpecChanged(_)
        | Event::TornDown => Vec::new(),
    }
}

/// What is told when `action` is begun; `observed` is what was known before.
pub fn narrate_action(spec: &Spec, observed: &Observed, action: &Action) -> Vec<PodEvent> {
    match action {
        Action::BackOff { container, cause, .. } => backed_off(spec, *container, *cause),
        Action::PreStop { container, why, .. } | Action::Stop { container, why, .. } => {
            killing(spec, observed, *container, *why)
        }
        Action::Kill { container } => killing(spec, observed, *container, StopReason::PodEnds),
        Action::Fail(failure) => vec![failed(failure)],
        Action::Schedule { .. }
        | Action::PrepareSandbox
        | Action::PrepareImage { .. }
        | Action::Start { .. }
        | Action::PostStart { .. }
        | Action::Probe { .. }
        | Action::RestartAll { .. }
        | Action::Reset
        | Action::Cancel { .. }
        | Action::CancelSandbox
        | Action::End
        | Action::Teardown
        | Action::WakeAt(_) => Vec::new(),
    }
}

fn scheduled(spec: &Spec, node: &str) -> PodEvent {
    let Identity { namespace, name, .. } = &spec.identity;
    let message = format!("Successfully assigned {namespace}/{name} to {node}");
    PodEvent::normal(Reason::Scheduled, Involved::Pod, message)
}

fn sandbox_failed(error: &SandboxError) -> PodEvent {
    let reason = match error {
        SandboxError::Mount { .. } => Reason::FailedMount,
        SandboxError::Create(_) => Reason::FailedCreatePodSandBox,
    };
    PodEvent::warning(reason, Involved::Pod, error.to_string())
}

/// What is told when an image begins to be fetched.
pub fn image_pulls(spec: &Spec, container: ContainerIndex) -> PodEvent {
    let message = format!("Pulling image {:?}", spec.container(container).image);
    PodEvent::normal(Reason::Pulling, involved(spec, container), message)
}

fn image_ready(spec: &Spec, container: ContainerIndex, image: &ImageInfo) -> PodEvent {
    let name = &spec.container(container).image;
    let message = match image.origin {
        ImageOrigin::Present => format!("Container image {name:?} already present on machine"),
        ImageOrigin::Pulled { took, size } => {
            let took = GoDuration(took);
            format!(
                "Successfully pulled image {name:?} in {took} ({took} including waiting). \
                 Image size: {size} bytes."
            )
        }
    };
    PodEvent::normal(Reason::Pulled, involved(spec, container), message)
}

fn image_failed(spec: &Spec, container: ContainerIndex, error: &ImageError) -> Vec<PodEvent> {
    let involved = involved(spec, container);
    let (reason, message) = match error.kind {
        ImageErrorKind::Pull | ImageErrorKind::RegistryUnavailable => {
            let image = &spec.container(container).image;
            (Reason::Failed, format!("Failed to pull image {image:?}: {}", error.message))
        }
        ImageErrorKind::NeverPull => (Reason::ErrImageNeverPull, error.message.clone()),
        ImageErrorKind::InvalidName | ImageErrorKind::Inspect => {
            (Reason::InspectFailed, error.message.clone())
        }
    };
    vec![
        PodEvent::warning(reason, involved.clone(), message),
        PodEvent::warning(
            Reason::Failed,
            involved,
            format!("Error: {}", error.kind.waiting_reason()),
        ),
    ]
}

fn start_failed(spec: &Spec, container: ContainerIndex, error: &StartError) -> PodEvent {
    match error {
        StartError::Mount { .. } => {
            PodEvent::warning(Reason::FailedMount, Involved::Pod, error.to_string())
        }
        StartError::Config(_) | StartError::Create(_) | StartError::Run(_) => {
            PodEvent::warning(Reason::Failed, involved(spec, container), format!("Error: {error}"))
        }
    }
}

/// An end is told by what follows from it, save for a program that was never entered: then the
/// message is all that there is to go by.
fn exited(spec: &Spec, container: ContainerIndex, exit: &Exit) -> Vec<PodEvent> {
    match (&exit.reason, &exit.message) {
        (ExitReason::StartError | ExitReason::ContainerCannotRun, Some(message)) => {
            vec![PodEvent::warning(
                Reason::Failed,
                involved(spec, container),
                format!("Error: {message}"),
            )]
        }
        _ => Vec::new(),
    }
}

fn backed_off(spec: &Spec, container: ContainerIndex, cause: BackOffCause) -> Vec<PodEvent> {
    let (involved, container) = (involved(spec, container), spec.container(container));
    match cause {
        BackOffCause::Crash => vec![PodEvent::warning(
            Reason::BackOff,
            involved,
            format!(
                "Back-off restarting failed container {} in pod {}",
                container.name, spec.identity
            ),
        )],
        BackOffCause::Image => vec![
            PodEvent::normal(
                Reason::BackOff,
                involved.clone(),
                format!("Back-off pulling image {:?}", container.image),
            ),
            PodEvent::warning(
                Reason::Failed,
                involved,
                format!("Error: {}", WaitingReason::ImagePullBackOff),
            ),
        ],
    }
}

/// Told once, when the end of a run begins.
fn killing(
    spec: &Spec,
    observed: &Observed,
    container: ContainerIndex,
    why: StopReason,
) -> Vec<PodEvent> {
    let running = observed.container(container).running();
    if running.is_some_and(|running| running.stopping.is_some()) {
        return Vec::new();
    }
    let involved = involved(spec, container);
    let container = spec.container(container);
    let name = &container.name;
    let message = match why {
        StopReason::PodEnds => format!("Stopping container {name}"),
        StopReason::FailedProbe(kind) => {
            let subject = match container.role {
                Role::App => "Container",
                Role::Init | Role::Sidecar => "Init container",
            };
            let kind = kind.to_string().to_lowercase();
            let next = match container.restart_policy {
                RestartPolicy::Never => "",
                RestartPolicy::Always | RestartPolicy::OnFailure => ", will be restarted",
            };
            format!("{subject} {name} failed {kind} probe{next}")
        }
        StopReason::FailedPostStart => Reason::FailedPostStartHook.to_string(),
        StopReason::Resize => format!("Container {name} resize requires restart"),
        StopReason::Redefined => format!("Container {name} definition changed, will be restarted"),
        // Told as an eviction.
        StopReason::OutOfMemory => return Vec::new(),
    };
    vec![PodEvent::normal(Reason::Killing, involved, message)]
}

fn probed(
    spec: &Spec,
    container: ContainerIndex,
    kind: ProbeKind,
    answer: &ProbeAnswer,
) -> Vec<PodEvent> {
    let (reason, message) = match answer {
        ProbeAnswer::Success => return Vec::new(),
        ProbeAnswer::Warning(output) => {
            (Reason::ProbeWarning, format!("{kind} probe warning: {output}"))
        }
        ProbeAnswer::Failure(output) => {
            (Reason::Unhealthy, format!("{kind} probe failed: {output}"))
        }
        ProbeAnswer::Error(problem) => {
            (Reason::Unhealthy, format!("{kind} probe errored: {problem}"))
        }
    };
    vec![PodEvent::warning(reason, involved(spec, container), message)]
}

/// With the reason, which the kubelet leaves out for fear of secrets in it; who reads the Events of a
/// Pod here can read its logs too.
fn hook_failed(spec: &Spec, container: ContainerIndex, hook: Hook, problem: &str) -> PodEvent {
    let (reason, what) = match hook {
        Hook::PostStart => (Reason::FailedPostStartHook, "PostStartHook failed"),
        Hook::PreStop => (Reason::FailedPreStopHook, "PreStopHook failed"),
    };
    PodEvent::warning(reason, involved(spec, container), format!("{what}: {problem}"))
}

fn failed(failure: &PodFailure) -> PodEvent {
    match failure.reason {
        PodFailureReason::DeadlineExceeded => {
            PodEvent::normal(Reason::DeadlineExceeded, Involved::Pod, failure.message.clone())
        }
        PodFailureReason::Evicted => {
            PodEvent::warning(Reason::Evicted, Involved::Pod, failure.message.clone())
        }
        PodFailureReason::UnexpectedAdmissionError => PodEvent::warning(
            Reason::UnexpectedAdmissionError,
            Involved::Pod,
            failure.message.clone(),
        ),
    }
}

fn involved(spec: &Spec, container: ContainerIndex) -> Involved {
    let container = spec.container(container);
    match container.role {
        Role::App => Involved::Container(container.name.clone()),
        Role::Init | Role::Sidecar => Involved::InitContainer(container.name.clone()),
    }
}
